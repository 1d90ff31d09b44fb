import { OipError } from './oip-error.ts'

/** Lower-case, as Node gives headers. Bytes of JSON before the binary tensors (Triton's binary tensor data extension). */
export const HEADER_LENGTH = 'inference-header-content-length'

/** The JSON and the binary part of a body, whose whole is JSON when `headerLength` is not given. Throws OipError. */
export function splitBody(
  body: Uint8Array,
  headerLength: string | undefined,
): { json: Uint8Array; binary: Uint8Array } {
  const length = headerLength === undefined ? body.length : parseLength(headerLength, body.length)
  return { json: body.subarray(0, length), binary: body.subarray(length) }
}

function parseLength(text: string, bodyLength: number): number {
  const length = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
  if (!(length <= bodyLength)) {
    const expected = `expected an integer of 0 to ${bodyLength}, the length of the body`
    throw new OipError('header_length_invalid', `Inference-Header-Content-Length: ${expected}`)
  }
  return length
}
