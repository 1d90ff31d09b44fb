import { hash } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { encodeCbor } from '../../../compute/work/canonical-cbor.ts'
import { encodeDataset, parseDataset } from '../../../src/subnet/dataset.ts'

const digestOf = (item: number) => new Uint8Array(hash('sha256', `item ${item}`, 'buffer'))

test('a list of digests is read back in its order', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat()), (items) => {
      const digests = items.map(digestOf)
      expect(parseDataset(encodeDataset(digests))).toEqual(digests)
    }),
  )
})

test.each<[string, unknown]>([
  ['a map', { 0: digestOf(0) }],
  ['a digest alone', digestOf(0)],
  ['an item of 31 bytes', [digestOf(0), digestOf(1).slice(1)]],
  ['an item of 33 bytes', [new Uint8Array(33)]],
  ['an item in hex', ['00'.repeat(32)]],
  ['an item that comes twice', [digestOf(0), digestOf(1), digestOf(0)]],
])('%s is refused', (_what, value) => {
  expect(() => parseDataset(encodeCbor(value))).toThrow(expect.objectContaining({ code: 'subnet_malformed' }))
})

test('a list cut short is refused', () => {
  const bytes = encodeDataset([digestOf(0), digestOf(1)])
  expect(() => parseDataset(bytes.slice(0, -1))).toThrow(expect.objectContaining({ code: 'cbor_malformed' }))
})
