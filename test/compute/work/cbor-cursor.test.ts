import { encode } from '@ipld/dag-cbor'
import { expect, test } from 'vitest'
import { cborCursor } from '../../../compute/work/cbor-cursor.ts'

function refuse(detail: string): never {
  throw new Error(detail)
}
const cursor = (bytes: Uint8Array) => cborCursor(bytes, refuse)
const hexed = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex')

test.each([0, 23, 24, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, 2 ** 40 + 7, Number.MAX_SAFE_INTEGER])(
  'reads %i, and refuses it with its last byte missing',
  (value) => {
    const bytes = encode(value)
    const read = cursor(bytes)
    expect(read.integer()).toBe(value)
    expect(() => read.end()).not.toThrow()
    expect(() => cursor(bytes.subarray(0, -1)).integer()).toThrow(/^ends inside a (head|value)$/)
  },
)

test.each([
  ['one byte for 23', '18 17'],
  ['two bytes for 255', '19 00ff'],
  ['four bytes for 65,535', '1a 0000ffff'],
  ['eight bytes for 2^32 − 1', '1b 00000000ffffffff'],
  ['2^53, which a number does not hold', '1b 0020000000000000'],
])('refuses %s', (_, bytes) => {
  expect(() => cursor(hexed(bytes)).integer()).toThrow('shortest form')
})

test.each(['1c', '1f', '5f'])('refuses the reserved head %s, bytes behind it or not', (head) => {
  const read = (bytes: Uint8Array) => (head === '5f' ? cursor(bytes).bytes() : cursor(bytes).integer())
  expect(() => read(hexed(head))).toThrow('ends inside a head')
  expect(() => read(hexed(head + '00'.repeat(64)))).toThrow('ends inside a head')
})

test.each([0, 23, 24, 255, 256, 65_535, 65_536])(
  'bytes and texts of %i are read whole, as a view',
  (length) => {
    const bytes = encode([new Uint8Array(length).fill(7), 'x'.repeat(length)])
    const read = cursor(bytes)
    expect(read.list()).toBe(2)
    const taken = read.bytes()
    expect(taken.buffer).toBe(bytes.buffer)
    expect(Buffer.compare(taken, new Uint8Array(length).fill(7))).toBe(0)
    expect(read.text()).toBe('x'.repeat(length))
    read.end()
  },
)

test('a map has the keys that are named, in their order', () => {
  const bytes = encode({ a: 1, bb: 2 })
  const read = cursor(bytes)
  read.map(2)
  read.key('a')
  expect(read.integer()).toBe(1)
  expect(() => read.key('cc')).toThrow('expected the key cc')
  expect(() => cursor(bytes).map(3)).toThrow('a map of 3 keys')
})

test.each([
  ['another kind', '61 61', 'expected integer'],
  ['nothing', '', 'ends inside a value'],
])('refuses %s', (_, bytes, detail) => {
  expect(() => cursor(hexed(bytes)).integer()).toThrow(detail)
})

test('refuses text that is not UTF-8, bytes that are cut off, and what comes after the value', () => {
  expect(() => cursor(hexed('61 ff')).text()).toThrow('not UTF-8')
  expect(() => cursor(hexed('42 00')).bytes()).toThrow('ends inside bytes or text')
  expect(() => cursor(hexed('00 00')).end()).toThrow('bytes after the value')
})

test('reads a view of a larger buffer from where the view begins', () => {
  const read = cursor(hexed('ffff 1903e8 4102').subarray(2))
  expect(read.integer()).toBe(1_000)
  expect([...read.bytes()]).toEqual([2])
})
