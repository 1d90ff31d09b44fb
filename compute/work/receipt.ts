import assert from 'node:assert/strict'
import { z } from 'zod'
import { encodeCbor } from './canonical-cbor.ts'
import { bytes32, integer, parseRecord } from './record.ts'
import { sha256, taggedHash } from './tagged-hash.ts'

export const MAX_RECEIPT_BYTES = 1_024

export const executionProfile = z.strictObject({
  batch: integer,
  /** The probed CPU class (`x86-64-v3`, …) or the device's name. */
  device: z.string(),
  optimization: z.enum(['disabled', 'basic', 'extended', 'all']),
  /** ONNX Runtime's version. */
  ort: z.string(),
  precision: z.string(),
  provider: z.enum(['cpu', 'cuda', 'webgpu']),
  threads: integer,
})

const energySchema = z.strictObject({
  method: z.string(),
  /** null is "unknown", which zero is not. */
  millijoules: integer.nullable(),
})

const receiptSchema = z.strictObject({
  v: z.literal(1),
  /** Job id. */
  job: bytes32,
  /** `outputCommitment` of the output bundle. */
  output: bytes32,
  /** Position in its submission. */
  index: integer,
  profile: executionProfile,
  /** Unix ms on the worker's clock: shown, never paid. */
  started: integer,
  finished: integer,
  energy: energySchema,
})

/** docs/PROTOCOL.md §3: what really ran, where. */
export type ExecutionProfile = z.infer<typeof executionProfile>
export type Energy = z.infer<typeof energySchema>
/** docs/PROTOCOL.md §3, field by field. */
export type Receipt = z.infer<typeof receiptSchema>

export class ReceiptError extends Error {
  readonly code = 'receipt_malformed'

  constructor(detail: string, cause: Error) {
    super(`receipt: ${detail}`, { cause })
    this.name = 'ReceiptError'
  }
}

export function encodeReceipt(receipt: Receipt): Uint8Array {
  const bytes = encodeCbor(receipt)
  assert(bytes.length <= MAX_RECEIPT_BYTES)
  return bytes
}

export function parseReceipt(bytes: Uint8Array): Receipt {
  return parseRecord(
    receiptSchema,
    bytes,
    MAX_RECEIPT_BYTES,
    (detail, cause) => new ReceiptError(detail, cause),
  )
}

export function receiptId(receipt: Uint8Array): Uint8Array {
  return sha256(receipt)
}

/** @param outputDigest SHA-256 of the output bundle */
export function outputCommitment(salt: Uint8Array, outputDigest: Uint8Array): Uint8Array {
  return taggedHash('assay/output', salt, outputDigest)
}
