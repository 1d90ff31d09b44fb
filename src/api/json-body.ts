import { z } from 'zod'
import { RefusedError } from '../coordinator/refused-error.ts'

/** A few short texts. What is as long as a body may be could take ten seconds and gigabytes to parse. */
export const MAX_JSON_BYTES = 16 * 1024

/** A body of JSON, checked. Throws RefusedError 400 `code`, 413 `body_too_large`. */
export function parseJsonBody<T>(
  schema: z.ZodType<T>,
  body: Uint8Array,
  code: 'body_malformed' | 'request_malformed' = 'body_malformed',
): T {
  const result = schema.safeParse(jsonOf(body, code))
  if (!result.success) throw new RefusedError(400, code, z.prettifyError(result.error))
  return result.data
}

function jsonOf(body: Uint8Array, code: string): unknown {
  if (body.length > MAX_JSON_BYTES) {
    throw new RefusedError(413, 'body_too_large', `JSON of ${body.length} bytes, at most ${MAX_JSON_BYTES}`)
  }
  try {
    return JSON.parse(Buffer.from(body).toString('utf8'))
  } catch (cause) {
    throw new RefusedError(400, code, 'the body is no JSON', { cause })
  }
}
