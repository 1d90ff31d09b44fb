import { z } from 'zod'
import { CborError, decodeCbor } from './canonical-cbor.ts'

/** docs/PROTOCOL.md §1: 0 ≤ n ≤ 2^53 − 1. */
export const integer = z.int().min(0)
export const bytes32 = bytesOf(32)
/** What subnets, requesters and API keys are called. */
export const plainName = z.string().regex(/^[a-z0-9-]{1,64}$/)
export const anyBytes = z.custom<Uint8Array>((value) => value instanceof Uint8Array, 'expected bytes')

export function bytesOf(length: number): z.ZodType<Uint8Array> {
  return z.custom<Uint8Array>(
    (value) => value instanceof Uint8Array && value.length === length,
    `expected ${length} bytes`,
  )
}

/** Strict, size-capped reading of one CBOR record; `refuse` makes the format's own error. */
export function parseRecord<T>(
  schema: z.ZodType<T>,
  bytes: Uint8Array,
  maxBytes: number,
  refuse: (detail: string, cause: Error) => Error,
): T {
  let value: unknown
  try {
    value = decodeCbor(bytes, { maxBytes })
  } catch (cause) {
    if (cause instanceof CborError) throw refuse(cause.message, cause)
    throw cause
  }
  const result = schema.safeParse(value)
  if (!result.success) throw refuse(firstIssue(result.error), result.error)
  return result.data
}

function firstIssue(error: z.ZodError): string {
  const issue = error.issues[0]
  if (issue === undefined) return error.message
  return issue.path.length === 0 ? issue.message : `${issue.path.join('.')}: ${issue.message}`
}
