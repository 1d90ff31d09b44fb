import { z } from 'zod'
import { RefusedError } from '../coordinator/refused-error.ts'

/** A body of JSON, checked. Throws RefusedError 400 `code`. */
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
  try {
    return JSON.parse(Buffer.from(body).toString('utf8'))
  } catch (cause) {
    throw new RefusedError(400, code, 'the body is no JSON', { cause })
  }
}
