import assert from 'node:assert/strict'
import { z } from 'zod'
import { checkHashSignature, signHash } from './bip340.ts'
import { encodeCbor } from './canonical-cbor.ts'
import { bytes32, integer, parseRecord } from './record.ts'
import { sha256, taggedHash } from './tagged-hash.ts'

const MAX_HEADER_BYTES = 512
const MAX_RECEIPTS_PER_SUBMISSION = 65_536
/** As many receipts of 1,024 bytes, each with its CBOR head: the longest list that an entry can name. */
export const MAX_LIST_BYTES = MAX_RECEIPTS_PER_SUBMISSION * 1_027 + 5

const headerSchema = z.strictObject({
  v: z.literal(1),
  /** Key, x-only. */
  worker: bytes32,
  /** 0 for the worker's first, then one more each. */
  sequence: integer,
  /** `submissionId` of the one before; 32 zero bytes for the first. */
  previous: bytes32,
  /** Receipts. */
  count: integer.min(1).max(MAX_RECEIPTS_PER_SUBMISSION),
  /** Of the receipt tree. */
  root: bytes32,
  /** Unix ms. */
  time: integer,
})

/** docs/PROTOCOL.md §3, field by field. */
export type SubmissionHeader = z.infer<typeof headerSchema>

export class SubmissionError extends Error {
  readonly code = 'submission_malformed'

  constructor(detail: string, cause: Error) {
    super(`submission header: ${detail}`, { cause })
    this.name = 'SubmissionError'
  }
}

export function encodeHeader(header: SubmissionHeader): Uint8Array {
  const bytes = encodeCbor(header)
  assert(bytes.length <= MAX_HEADER_BYTES)
  return bytes
}

export function parseHeader(bytes: Uint8Array): SubmissionHeader {
  return parseRecord(
    headerSchema,
    bytes,
    MAX_HEADER_BYTES,
    (detail, cause) => new SubmissionError(detail, cause),
  )
}

export function submissionId(header: Uint8Array): Uint8Array {
  return sha256(header)
}

/** BIP-340 signature over the encoded header, for the log named `origin` alone. */
export function signSubmission(header: Uint8Array, origin: string, secretKey: Uint8Array): Uint8Array {
  return signHash(submissionHash(header, origin), secretKey)
}

/** By the worker that the header names. Throws SubmissionError when the header can't be read. */
export function checkSubmissionSignature(header: Uint8Array, origin: string, signature: Uint8Array): boolean {
  return checkHashSignature(submissionHash(header, origin), parseHeader(header).worker, signature)
}

function submissionHash(header: Uint8Array, origin: string): Uint8Array {
  return taggedHash(`assay/submission/${origin}`, header)
}
