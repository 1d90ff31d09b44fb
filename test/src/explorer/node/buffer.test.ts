import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Buffer as OurBuffer } from '../../../../src/explorer/node/buffer.ts'

const bytes = fc.uint8Array({ maxLength: 200 })
const ENCODINGS = ['hex', 'base64', 'base64url', 'latin1', 'utf8'] as const
const hex = (value: Uint8Array) => Buffer.from(value).toString('hex')

/** Beside Node's own, on whatever is given to both. */
test.each(ENCODINGS)('%s, there and back', (encoding) => {
  fc.assert(
    fc.property(bytes, (value) => {
      const text = Buffer.from(value).toString(encoding)
      expect(OurBuffer.from(value).toString(encoding)).toBe(text)
      expect(hex(OurBuffer.from(text, encoding))).toBe(hex(Buffer.from(text, encoding)))
    }),
  )
})

test('text of any kind, as UTF-8', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(hex(OurBuffer.from(text))).toBe(hex(Buffer.from(text)))
      expect(OurBuffer.byteLength(text)).toBe(Buffer.byteLength(text))
    }),
  )
})

test.each(['0', 'abc', '12zz34', 'zz', ''])('hex that is none, %j', (text) => {
  expect(hex(OurBuffer.from(text, 'hex'))).toBe(hex(Buffer.from(text, 'hex')))
})

test('order, search and joining', () => {
  fc.assert(
    fc.property(bytes, bytes, fc.uint8Array({ minLength: 1, maxLength: 2 }), (a, b, part) => {
      expect(OurBuffer.compare(a, b)).toBe(Buffer.compare(a, b))
      expect(OurBuffer.from(a).equals(b)).toBe(Buffer.from(a).equals(b))
      expect(hex(OurBuffer.concat([a, b]))).toBe(hex(Buffer.concat([a, b])))
      // Nobody looks for nothing, where Node answers by the length of what is searched.
      expect(OurBuffer.from(a).indexOf(part)).toBe(Buffer.from(a).indexOf(part))
      expect(OurBuffer.concat([a, part]).indexOf(part, 1)).toBe(Buffer.concat([a, part]).indexOf(part, 1))
    }),
  )
})

test('a view on the same memory', () => {
  const memory = new Uint8Array([1, 2, 3, 4, 5]).buffer
  const view = OurBuffer.from(memory, 1, 3)
  new Uint8Array(memory)[2] = 9
  expect([...view]).toEqual([2, 9, 4])
})

test('integers', () => {
  const value = OurBuffer.from([0xff, 0x01, 0x02, 0x03, 0x04])
  expect([value.readUInt16BE(1), value.readUInt32BE(1)]).toEqual([0x0102, 0x01020304])
  value.writeUInt16BE(0xabcd, 3)
  expect(hex(value)).toBe('ff0102abcd')
  expect(hex(OurBuffer.alloc(2))).toBe('0000')
})
