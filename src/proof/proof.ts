/** The proof file of one receipt (docs/PROTOCOL.md §5): all that leads from its bytes to a Bitcoin block header. */
import { z } from 'zod'
import type { Method } from '../../anchor/anchor-transaction.ts'
import { HEADER_BYTES } from '../../anchor/block-header.ts'
import type { Branch } from '../../anchor/merkle-branch.ts'
import { encodeCbor } from '../../compute/work/canonical-cbor.ts'
import { MAX_RECEIPT_BYTES } from '../../compute/work/receipt.ts'
import { bytes32, bytesOf, integer, parseRecord } from '../../compute/work/record.ts'
import { MAX_ENTRY_BYTES } from '../log/entry.ts'
import { ProofError } from './proof-error.ts'

export interface Proof {
  readonly receipt: Uint8Array
  /** Siblings in the receipt tree, from the leaf up. */
  readonly receiptPath: readonly Uint8Array[]
  /** The submission's log entry: it holds header and signature. */
  readonly entry: Uint8Array
  readonly entryIndex: number
  /** RFC 6962 inclusion proof of the entry in the checkpoint's tree, from the leaf up. */
  readonly logPath: readonly Uint8Array[]
  /** The signed note of the anchored head, with the log's one signature. */
  readonly checkpoint: string
  /** Ed25519. */
  readonly logKey: Uint8Array
  /** Of the seals, x-only. */
  readonly internalKey: Uint8Array
  readonly method: Method
  readonly anchorIndex: number
  /** The anchor transaction's bytes without witnesses. */
  readonly anchor: Uint8Array
  /** The block's, 80 bytes. */
  readonly header: Uint8Array
  readonly height: number
  /** From the anchor transaction to the header's Merkle root. */
  readonly branch: Branch
}

/** The longest entry, the longest receipt and a checkpoint are well below it. */
const MAX_PROOF_BYTES = 65_536
/** Twice the longest origin, and the lines of numbers and base64 between. */
const MAX_CHECKPOINT_LENGTH = 1_024
/** Seal and top-up in, seal and payload out take under 200; the rest is room for long scripts that don't exist. */
const MAX_ANCHOR_BYTES = 1_000
/** A hash per level: trees of 2^53 entries, and far above any block or submission. */
const MAX_PATH_HASHES = 53
const HASH_BYTES = 32

const bytesUpTo = (max: number) =>
  z.custom<Uint8Array>(
    (value) => value instanceof Uint8Array && value.length <= max,
    `expected up to ${max} bytes`,
  )

/** Hashes stand side by side in one byte string: a head for each would cost as much as a level of the tree. */
const path = bytesUpTo(MAX_PATH_HASHES * HASH_BYTES).refine(
  (bytes) => bytes.length % HASH_BYTES === 0,
  'expected whole hashes',
)

const proofSchema = z.strictObject({
  v: z.literal(1),
  receipt: bytesUpTo(MAX_RECEIPT_BYTES),
  receiptPath: path,
  entry: bytesUpTo(MAX_ENTRY_BYTES),
  entryIndex: integer,
  logPath: path,
  checkpoint: z.string().max(MAX_CHECKPOINT_LENGTH),
  logKey: bytes32,
  internalKey: bytes32,
  method: z.enum(['dual', 'taproot']),
  anchorIndex: integer.max(0xffff_ffff),
  anchor: bytesUpTo(MAX_ANCHOR_BYTES),
  header: bytesOf(HEADER_BYTES),
  height: integer,
  branch: z.strictObject({ position: integer, siblings: path }),
})

export function encodeProof(proof: Proof): Uint8Array {
  const { receiptPath, logPath, branch, ...rest } = proof
  const bytes = encodeCbor({
    v: 1,
    ...rest,
    receiptPath: Buffer.concat(receiptPath),
    logPath: Buffer.concat(logPath),
    branch: { position: branch.position, siblings: Buffer.concat(branch.siblings) },
  })
  parseProof(bytes)
  return bytes
}

/** Reads the form and verifies nothing: `verifyProof` does. Throws ProofError `proof_malformed`. */
export function parseProof(bytes: Uint8Array): Proof {
  const refuse = (detail: string, cause: Error) =>
    new ProofError('proof_malformed', `proof: ${detail}`, cause)
  const {
    v: _version,
    receiptPath,
    logPath,
    branch,
    ...rest
  } = parseRecord(proofSchema, bytes, MAX_PROOF_BYTES, refuse)
  return {
    ...rest,
    receiptPath: hashesOf(receiptPath),
    logPath: hashesOf(logPath),
    branch: { position: branch.position, siblings: hashesOf(branch.siblings) },
  }
}

function hashesOf(bytes: Uint8Array): Uint8Array[] {
  return Array.from({ length: bytes.length / HASH_BYTES }, (_, i) =>
    bytes.slice(i * HASH_BYTES, (i + 1) * HASH_BYTES),
  )
}
