/** The anchors file (docs/PROTOCOL.md): all that leads along the chain of seals, from a log's genesis to its newest anchor. */
import { z } from 'zod'
import { HEADER_BYTES } from '../../anchor/block-header.ts'
import type { Branch } from '../../anchor/merkle-branch.ts'
import { encodeCbor } from '../../compute/work/canonical-cbor.ts'
import { bytesOf, integer, parseRecord } from '../../compute/work/record.ts'
import { MAX_CHECKPOINT_LENGTH } from '../log/entry.ts'
import { MAX_ENTRY_BYTES } from '../log/entry-bundle.ts'
import { AuditError } from './audit-error.ts'

export interface AnchorsFile {
  /** The log's entry 0. */
  readonly genesis: Uint8Array
  /** In order of index; a whole file begins with 0. */
  readonly anchors: readonly AnchorEvidence[]
}

/** One anchor, and where it stands in the chain. */
export interface AnchorEvidence {
  readonly index: number
  /** The signed note of the head that it commits to, with the log's one signature. */
  readonly checkpoint: string
  /** Its bytes without witnesses. */
  readonly transaction: Uint8Array
  readonly height: number
  /** The block's, 80 bytes. */
  readonly header: Uint8Array
  readonly branch: Branch
}

/** Five years of an anchor every six blocks; above it, decoding would pass the limit on CBOR values. */
export const MAX_ANCHORS = 50_000
/** An anchor takes about a kilobyte. */
export const MAX_ANCHORS_FILE_BYTES = 64 * 1024 * 1024
/** Seal and top-up in, seal and payload out take under 200. */
const MAX_TRANSACTION_BYTES = 1_000
const HASH_BYTES = 32
/** Far above the depth of any block. */
const MAX_BRANCH_BYTES = 32 * HASH_BYTES

const bytesUpTo = (max: number) =>
  z.custom<Uint8Array>(
    (value) => value instanceof Uint8Array && value.length <= max,
    `expected up to ${max} bytes`,
  )

const anchorSchema = z.strictObject({
  index: integer.max(0xffff_ffff),
  checkpoint: z.string().max(MAX_CHECKPOINT_LENGTH),
  transaction: bytesUpTo(MAX_TRANSACTION_BYTES),
  height: integer,
  header: bytesOf(HEADER_BYTES),
  branch: z.strictObject({
    position: integer,
    /** Side by side. */
    siblings: bytesUpTo(MAX_BRANCH_BYTES).refine(
      (bytes) => bytes.length % HASH_BYTES === 0,
      'expected hashes',
    ),
  }),
})

const fileSchema = z.strictObject({
  v: z.literal(1),
  genesis: bytesUpTo(MAX_ENTRY_BYTES),
  anchors: z.array(anchorSchema).max(MAX_ANCHORS),
})

export function encodeAnchorsFile({ genesis, anchors }: AnchorsFile): Uint8Array {
  const bytes = encodeCbor({
    v: 1,
    genesis,
    anchors: anchors.map(({ branch: { position, siblings }, ...rest }) => ({
      ...rest,
      branch: { position, siblings: Buffer.concat(siblings) },
    })),
  })
  parseAnchorsFile(bytes)
  return bytes
}

/** Reads the form and checks nothing: `checkAnchorChain` does. Throws AuditError `anchors_malformed`. */
export function parseAnchorsFile(bytes: Uint8Array): AnchorsFile {
  const refuse = (detail: string, cause: Error) =>
    new AuditError('anchors_malformed', `anchors file: ${detail}`, cause)
  const { genesis, anchors } = parseRecord(fileSchema, bytes, MAX_ANCHORS_FILE_BYTES, refuse)
  return {
    genesis,
    anchors: anchors.map(({ branch: { position, siblings }, ...rest }) => ({
      ...rest,
      branch: { position, siblings: hashesOf(siblings) },
    })),
  }
}

function hashesOf(bytes: Uint8Array): Uint8Array[] {
  return Array.from({ length: bytes.length / HASH_BYTES }, (_, i) =>
    bytes.slice(i * HASH_BYTES, (i + 1) * HASH_BYTES),
  )
}
