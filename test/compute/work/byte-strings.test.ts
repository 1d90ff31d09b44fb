import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseByteStrings } from '../../../compute/work/byte-strings.ts'
import { decodeCbor, encodeCbor } from '../../../compute/work/canonical-cbor.ts'

const MAX_BYTES = 2_000_000

test('a list is read as the decoder of any value reads it', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 300 })), (list) => {
      const bytes = encodeCbor(list)
      expect(parseByteStrings(bytes, MAX_BYTES)).toEqual(decodeCbor(bytes, { maxBytes: MAX_BYTES }))
    }),
  )
})

test.each<[string, unknown]>([
  ['a map', { a: new Uint8Array(1) }],
  ['bytes alone', new Uint8Array(1)],
  ['text in the list', [new Uint8Array(1), '00']],
  ['a list in the list', [[]]],
])('%s is refused', (_what, value) => {
  expect(() => parseByteStrings(encodeCbor(value), MAX_BYTES)).toThrow(
    expect.objectContaining({ code: 'cbor_malformed' }),
  )
})

const two = encodeCbor([new Uint8Array(3), new Uint8Array(30)])

test.each<[string, Uint8Array]>([
  ['nothing', new Uint8Array()],
  ['a list cut short', two.subarray(0, -1)],
  ['bytes behind the list', Uint8Array.of(...two, 0)],
  ['a length that is not in its shortest form', Uint8Array.of(0x98, 1, 0x40)],
  [
    'more values than any list may hold',
    Buffer.concat([Uint8Array.of(0x9a, 0, 16, 0, 1), Buffer.alloc((1 << 20) + 1, 0x40)]),
  ],
])('%s is refused', (_what, bytes) => {
  expect(() => parseByteStrings(bytes, MAX_BYTES)).toThrow(
    expect.objectContaining({ code: 'cbor_malformed' }),
  )
})

test('more bytes than allowed are refused before any is read', () => {
  expect(parseByteStrings(two, two.length)).toHaveLength(2)
  expect(() => parseByteStrings(two, two.length - 1)).toThrow(
    expect.objectContaining({ code: 'cbor_too_large' }),
  )
})
