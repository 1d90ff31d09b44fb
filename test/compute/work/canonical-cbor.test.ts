import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeCbor, encodeCbor } from '../../../compute/work/canonical-cbor.ts'
import { fromHex, toHex } from './read-vector.ts'

const limit = { maxBytes: 100_000 }

const { value: anyValue } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.maxSafeNat(),
    fc.bigInt({ min: 2n ** 53n, max: 2n ** 64n - 1n }),
    fc.boolean(),
    fc.constant(null),
    fc.string({ unit: 'grapheme' }),
    fc.uint8Array(),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.string({ unit: 'grapheme', minLength: 1 }), tie('value'), { maxKeys: 4 }),
  ),
}))

describe('decodeCbor', () => {
  test('gives back what was encoded, and its encoding again', () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        const bytes = encodeCbor(value)
        const decoded = decodeCbor(bytes, limit)
        expect(toHex(encodeCbor(decoded))).toBe(toHex(bytes))
        expect(encodeCbor(decoded)).toEqual(encodeCbor(structuredClone(value)))
      }),
    )
  })

  test('either refuses random bytes with its own error or they are canonical', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 12 }), (bytes) => {
        try {
          expect(toHex(encodeCbor(decodeCbor(bytes, limit)))).toBe(toHex(bytes))
        } catch (error) {
          expect(error).toHaveProperty('name', 'CborError')
        }
      }),
      { numRuns: 2_000 },
    )
  })

  test('refuses what is canonical but for one byte, or it is canonical again', () => {
    const spliced = fc
      .record({
        value: anyValue,
        at: fc.nat(),
        deleted: fc.nat(2),
        inserted: fc.uint8Array({ maxLength: 2 }),
      })
      .map(({ value, at, deleted, inserted }) => {
        const bytes = [...encodeCbor(value)]
        bytes.splice(at % bytes.length, deleted, ...inserted)
        return Uint8Array.from(bytes)
      })
    fc.assert(
      fc.property(spliced, (bytes) => {
        try {
          expect(toHex(encodeCbor(decodeCbor(bytes, limit)))).toBe(toHex(bytes))
        } catch (error) {
          expect(error).toHaveProperty('name', 'CborError')
        }
      }),
      { numRuns: 5_000 },
    )
  })

  test.each([
    ['nothing', '', 'cbor_malformed'],
    ['bytes after the value', '0000', 'cbor_malformed'],
    ['a cut head', '19ff', 'cbor_malformed'],
    ['cut text', '6261', 'cbor_malformed'],
    ['cut bytes', '5a7fffffff00', 'cbor_malformed'],
    ['a cut list', '8201', 'cbor_malformed'],
    ['a list longer than the message', '9affffffff01', 'cbor_malformed'],
    ['a map with a 64-bit length', 'bbffffffffffffffff6161', 'cbor_malformed'],
    ['a cut map', 'a16161', 'cbor_malformed'],
    ['an indefinite list', '9f01ff', 'cbor_malformed'],
    ['an indefinite text', '7f6161ff', 'cbor_malformed'],
    ['a reserved head', '1c', 'cbor_malformed'],
    ['a float', 'fb3ff8000000000000', 'cbor_malformed'],
    ['a whole number as a float', 'f93c00', 'cbor_malformed'],
    ['undefined', 'f7', 'cbor_malformed'],
    ['a tag', 'c100', 'cbor_malformed'],
    ['a CID', 'd82a4500015512aa', 'cbor_malformed'],
    ['an integer as a map key', 'a10101', 'cbor_not_canonical'],
    ['a key twice', 'a2616101616102', 'cbor_not_canonical'],
    ['a map that passes for a CID', 'a3612f617865627974657361786776657273696f6e00', 'cbor_not_canonical'],
    ['a long form of a small integer', '1817', 'cbor_not_canonical'],
    ['a long form of a length', '580161', 'cbor_not_canonical'],
    ['keys not sorted by bytes', 'a2616201616102', 'cbor_not_canonical'],
    ['keys within a list of maps not sorted', '82a161610181a2616201616102', 'cbor_not_canonical'],
    ['a key twice behind a nested map', 'a26161a1616201616102', 'cbor_not_canonical'],
    ['a long form of a key', 'a178016101', 'cbor_not_canonical'],
    ['a map as a key', 'a1a16161010a', 'cbor_not_canonical'],
    ['text that begins with a byte order mark', '64efbbbf61', 'cbor_not_canonical'],
    ['keys not sorted by length', 'a262616101616202', 'cbor_not_canonical'],
    ['text that is not UTF-8', '61ff', 'cbor_not_canonical'],
    ['nesting without end', '81'.repeat(50_000), 'cbor_malformed'],
  ])('refuses %s', (_what, hex, code) => {
    expect(() => decodeCbor(fromHex(hex), limit)).toThrow(
      expect.objectContaining({ name: 'CborError', code }),
    )
  })

  test('takes 16 levels of nesting and no more', () => {
    const nested = (levels: number) => fromHex(`${'81'.repeat(levels)}00`)
    expect(decodeCbor(nested(16), limit)).toBeInstanceOf(Array)
    expect(() => decodeCbor(nested(17), limit)).toThrow(expect.objectContaining({ code: 'cbor_malformed' }))
  })

  test('takes 2^20 values and no more, before it builds any of them', () => {
    const list = (members: number) => {
      const head = Buffer.from([0x9a, 0, 0, 0, 0])
      head.writeUInt32BE(members, 1)
      return Buffer.concat([head, Buffer.alloc(members)])
    }
    const wide = { maxBytes: 1 << 21 }
    expect(decodeCbor(list((1 << 20) - 1), wide)).toHaveLength((1 << 20) - 1)
    expect(() => decodeCbor(list(1 << 20), wide)).toThrow(expect.objectContaining({ code: 'cbor_malformed' }))
  })

  test('refuses one byte more than the limit', () => {
    const bytes = encodeCbor('four')
    expect(decodeCbor(bytes, { maxBytes: 5 })).toBe('four')
    expect(() => decodeCbor(bytes, { maxBytes: 4 })).toThrow(
      expect.objectContaining({ code: 'cbor_too_large' }),
    )
  })

  test('keeps integers above 2^53 exact, as bigint', () => {
    expect(decodeCbor(encodeCbor(2n ** 63n - 1n), limit)).toBe(2n ** 63n - 1n)
    expect(decodeCbor(encodeCbor(7n), limit)).toBe(7)
  })

  test('reads a view into a larger buffer', () => {
    const padded = Buffer.concat([Buffer.from([9, 9]), encodeCbor(['a', 1]), Buffer.from([9])])
    expect(decodeCbor(padded.subarray(2, -1), limit)).toEqual(['a', 1])
  })
})

describe('encodeCbor', () => {
  test.each([
    ['a float', 1.5],
    ['a nested float', { a: [0.1] }],
    ['NaN', Number.NaN],
    ['undefined', { a: undefined }],
  ])('throws on %s', (_what, value) => {
    expect(() => encodeCbor(value)).toThrow()
  })
})
