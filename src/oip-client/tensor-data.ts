import assert from 'node:assert'
import { isUtf8 } from 'node:buffer'
import { endianness } from 'node:os'
import { lengthPrefixed, prefixLengths } from '../../compute/work/length-prefixed.ts'
import { type Datatype, ELEMENT_ARRAYS, type ElementArray } from '../../compute/work/tensor-bundle.ts'

/** FP16 as its bits, BOOL as 0 and 1, BYTES as text: UTF-8 alone. */
export type TensorData = ElementArray | string[]

// Typed arrays are in the machine's order, tensors little-endian. Node runs on nothing else that is in use.
assert.equal(endianness(), 'LE')

/** The tensor's bytes as the binary tensor data extension has them: a view where the data is an array of numbers. */
export function tensorBytes(data: TensorData): Uint8Array {
  if (Array.isArray(data)) return prefixLengths(data.map((text) => Buffer.from(text, 'utf8')))
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
}

/** Null where the bytes are no whole elements; `not_utf8`: text would not give them back as they were committed to. */
export function tensorData(datatype: Datatype, bytes: Uint8Array): TensorData | 'not_utf8' | null {
  if (datatype === 'BYTES') {
    const texts: string[] = []
    for (const element of lengthPrefixed(bytes)) {
      if (element === null) return null
      if (!isUtf8(element)) return 'not_utf8'
      texts.push(Buffer.from(element).toString('utf8'))
    }
    return texts
  }
  const Type = ELEMENT_ARRAYS[datatype]
  if (bytes.length % Type.BYTES_PER_ELEMENT !== 0) return null
  // Copied: in an answer a tensor starts anywhere, an array of numbers only at a multiple of its element.
  return new Type(Uint8Array.from(bytes).buffer)
}

/** What an array of that type holds unless told: nothing in it says BOOL or FP16. */
export function datatypeOf(data: TensorData): Datatype {
  if (Array.isArray(data)) return 'BYTES'
  const found = Object.entries(ELEMENT_ARRAYS).find(([name, Type]) => name !== 'BOOL' && data instanceof Type)
  assert(found !== undefined, 'data is a typed array or an array of strings')
  return found[0] as Datatype
}
