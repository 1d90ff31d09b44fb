/** The proof file of one receipt (docs/PROTOCOL.md §5): all that leads from its bytes to a Bitcoin block header. */
import { z } from 'zod'
import { HEADER_BYTES } from '../../anchor/block-header.ts'
import type { Branch } from '../../anchor/merkle-branch.ts'
import { encodeCbor } from '../../compute/work/canonical-cbor.ts'
import { MAX_RECEIPT_BYTES } from '../../compute/work/receipt.ts'
import { bytes32, bytesOf, integer, parseRecord } from '../../compute/work/record.ts'
import { MAX_ORIGIN_LENGTH } from '../log/entry.ts'
import { isKeyName } from '../log/note-key.ts'
import { ProofError } from './proof-error.ts'

/** Nothing stands in it twice: what follows from the rest (entry, log root, checkpoint, method) is rebuilt by who checks. */
export interface Proof {
  readonly receipt: Uint8Array
  /** Siblings in the receipt tree, from the leaf up. */
  readonly receiptPath: readonly Uint8Array[]
  /** The submission's header, as its worker signed it. */
  readonly submission: Uint8Array
  /** The worker's. */
  readonly signature: Uint8Array
  /** The SHA-256 that the submission's entry names its receipts by. */
  readonly receipts: Uint8Array
  readonly entryIndex: number
  /** RFC 6962 inclusion proof of the entry in the anchored tree, from the leaf up. */
  readonly logPath: readonly Uint8Array[]
  /** Of the checkpoint that the anchor commits to, not of a later one; likewise `size`. */
  readonly origin: string
  readonly size: number
  /** Ed25519, over the checkpoint's text. */
  readonly logSignature: Uint8Array
  /** Ed25519. */
  readonly logKey: Uint8Array
  readonly anchorIndex: number
  /** Of the seals, x-only. */
  readonly internalKey: Uint8Array
  /** The anchor transaction's bytes without witnesses. */
  readonly anchor: Uint8Array
  /** From the anchor transaction to the block header's Merkle root. */
  readonly branch: Branch
  /** The block's, 80 bytes. */
  readonly header: Uint8Array
  readonly height: number
}

/** The longest of all fields together are well below it. */
const MAX_PROOF_BYTES = 16_384
/** As compute/work/submission.ts, which reads it. */
const MAX_SUBMISSION_BYTES = 512
/** Seal and top-up in, seal and payload out take under 200; the rest is room for long scripts that don't exist. */
const MAX_ANCHOR_BYTES = 1_000
/** A hash per level: trees of 2^53 entries, and far above any block or submission. */
const MAX_PATH_HASHES = 53
const HASH_BYTES = 32
const SIGNATURE_BYTES = 64

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

/** In the order of the file, which is a list: names would be a fourteenth of it. */
const fieldsSchema = z.strictObject({
  v: z.literal(1),
  receipt: bytesUpTo(MAX_RECEIPT_BYTES),
  receiptPath: path,
  submission: bytesUpTo(MAX_SUBMISSION_BYTES),
  signature: bytesOf(SIGNATURE_BYTES),
  receipts: bytes32,
  entryIndex: integer,
  logPath: path,
  origin: z.string().max(MAX_ORIGIN_LENGTH).refine(isKeyName, 'expected a key name'),
  size: integer,
  logSignature: bytesOf(SIGNATURE_BYTES),
  logKey: bytes32,
  anchorIndex: integer.max(0xffff_ffff),
  internalKey: bytes32,
  anchor: bytesUpTo(MAX_ANCHOR_BYTES),
  position: integer,
  siblings: path,
  header: bytesOf(HEADER_BYTES),
  height: integer,
})
const FIELDS = fieldsSchema.keyof().options

const proofSchema = z
  .array(z.unknown())
  .length(FIELDS.length)
  .transform((list) => Object.fromEntries(FIELDS.map((field, i) => [field, list[i]])))
  .pipe(fieldsSchema)

/** Throws ProofError `proof_malformed` where parseProof would. */
export function encodeProof({ branch, ...proof }: Proof): Uint8Array {
  const fields: z.infer<typeof fieldsSchema> = {
    ...proof,
    v: 1,
    receiptPath: Buffer.concat(proof.receiptPath),
    logPath: Buffer.concat(proof.logPath),
    position: branch.position,
    siblings: Buffer.concat(branch.siblings),
  }
  const bytes = encodeCbor(FIELDS.map((field) => fields[field]))
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
    position,
    siblings,
    ...rest
  } = parseRecord(proofSchema, bytes, MAX_PROOF_BYTES, refuse)
  return {
    ...rest,
    receiptPath: hashesOf(receiptPath),
    logPath: hashesOf(logPath),
    branch: { position, siblings: hashesOf(siblings) },
  }
}

function hashesOf(bytes: Uint8Array): Uint8Array[] {
  return Array.from({ length: bytes.length / HASH_BYTES }, (_, i) =>
    bytes.slice(i * HASH_BYTES, (i + 1) * HASH_BYTES),
  )
}
