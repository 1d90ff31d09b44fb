import type { Request, Response } from 'express'
import { z } from 'zod'
import { decodeCbor, encodeCbor } from '../../compute/work/canonical-cbor.ts'
import { RefusedError } from '../coordinator/refused-error.ts'

/** The largest body that any route takes: a tensor bundle and its frame. */
export const MAX_BODY_BYTES = 64 * 1024 * 1024

/** The raw body that express.raw() has read; empty when none came. */
export function rawBody(request: Request): Uint8Array {
  return request.body instanceof Uint8Array ? request.body : new Uint8Array()
}

/** A body of canonical CBOR, checked. Throws CborError, RefusedError `body_malformed`. */
export function parseCborBody<T>(schema: z.ZodType<T>, body: Uint8Array): T {
  const result = schema.safeParse(decodeCbor(body, { maxBytes: MAX_BODY_BYTES }))
  if (!result.success) throw new RefusedError(400, 'body_malformed', z.prettifyError(result.error))
  return result.data
}

export function sendCbor(response: Response, value: unknown): void {
  const { buffer, byteOffset, byteLength } = encodeCbor(value)
  // A view: express copies what is no Buffer, and a lease holds megabytes of inputs.
  response.type('application/cbor').send(Buffer.from(buffer, byteOffset, byteLength))
}
