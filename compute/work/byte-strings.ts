import { CborError, MAX_VALUES } from './canonical-cbor.ts'
import { cborCursor } from './cbor-cursor.ts'

/** A canonical CBOR list of byte strings, as views of `bytes`. Throws CborError. */
export function parseByteStrings(bytes: Uint8Array, maxBytes: number): Uint8Array[] {
  if (bytes.length > maxBytes)
    throw new CborError('cbor_too_large', `${bytes.length} bytes, at most ${maxBytes} are allowed`)
  const cursor = cborCursor(bytes, (detail) => {
    throw new CborError('cbor_malformed', detail)
  })
  const count = cursor.list()
  // Views of no bytes take a hundred times the one byte that each is made of.
  if (count > MAX_VALUES) throw new CborError('cbor_malformed', `more than ${MAX_VALUES} values`)
  const list = Array.from({ length: count }, () => cursor.bytes())
  cursor.end()
  return list
}
