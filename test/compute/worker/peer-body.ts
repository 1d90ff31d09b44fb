import { z } from 'zod'
import { decodeCbor } from '../../../compute/work/canonical-cbor.ts'
import { anyBytes, bytes32, bytesOf, integer } from '../../../compute/work/record.ts'

/** Told to the worker as RFC 9457 has it. */
export class Problem extends Error {
  readonly status: number
  readonly code: string
  readonly extensions: object

  constructor(status: number, code: string, extensions: object = {}) {
    super(code)
    this.status = status
    this.code = code
    this.extensions = extensions
  }
}

export const leases = z.strictObject({ max: integer, waitMs: integer })
export const results = z.strictObject({
  results: z.array(z.strictObject({ outputs: anyBytes, receipt: anyBytes, salt: bytes32 })).min(1),
})
export const failures = z.strictObject({
  failures: z.array(z.strictObject({ job: bytes32, reason: z.string() })),
})
export const submission = z.strictObject({
  header: anyBytes,
  receipts: z.array(anyBytes),
  signature: bytesOf(64),
})
export const registration = z.strictObject({
  address: z.string(),
  signature: bytesOf(64),
  thresholdSats: z.int().transform(BigInt),
  worker: bytes32,
})
export const commitments = z.strictObject({
  commitments: z.array(z.strictObject({ commitment: bytes32, receipt: bytes32, round: integer })).min(1),
  signature: bytesOf(64),
})
export const reveals = z.strictObject({
  reveals: z.array(
    z.strictObject({ outputs: anyBytes.nullable(), receipt: bytes32, round: integer, salt: bytes32 }),
  ),
})

/** Throws Problem `body_malformed`. */
export function read<T>(schema: z.ZodType<T>, body: Uint8Array): T {
  const result = schema.safeParse(decodeCbor(body, { maxBytes: 64 * 1024 * 1024 }))
  if (!result.success) throw new Problem(400, 'body_malformed')
  return result.data
}
