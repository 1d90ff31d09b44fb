import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Datatype } from '../../../compute/work/tensor-bundle.ts'
import { dataFromJson, dataToJson } from '../../../src/oip/json-data.ts'

const MAX_FLOAT = 3.4028234663852886e38
const noMinusZero = (value: number) => (value === 0 ? 0 : value)

/** Every datatype that JSON has a form for, with all the values that it has one for. */
const VALUES: Record<Exclude<Datatype, 'FP16'>, fc.Arbitrary<boolean | number | string>> = {
  BOOL: fc.boolean(),
  UINT8: fc.integer({ min: 0, max: 255 }),
  UINT16: fc.integer({ min: 0, max: 65_535 }),
  UINT32: fc.integer({ min: 0, max: 4_294_967_295 }),
  UINT64: fc.maxSafeNat(),
  INT8: fc.integer({ min: -128, max: 127 }),
  INT16: fc.integer({ min: -32_768, max: 32_767 }),
  INT32: fc.integer({ min: -2_147_483_648, max: 2_147_483_647 }),
  INT64: fc.maxSafeInteger(),
  FP32: fc.float({ noNaN: true, noDefaultInfinity: true }).map(noMinusZero),
  FP64: fc.double({ noNaN: true, noDefaultInfinity: true }).map(noMinusZero),
  BYTES: fc.string({ unit: 'binary' }),
}

const DATATYPES = Object.keys(VALUES) as (keyof typeof VALUES)[]
const refused = (code: string) => expect.objectContaining({ name: 'OipError', code })

describe('a tensor in JSON', () => {
  test.each(DATATYPES)('of %s comes back as it was', (datatype) => {
    fc.assert(
      fc.property(fc.array(VALUES[datatype]), (values) => {
        const shape = [values.length]
        const data = dataFromJson('t', datatype, shape, JSON.parse(JSON.stringify(values)))
        expect(dataToJson({ name: 't', datatype, shape, data })).toEqual(values)
      }),
    )
  })

  test.each<[Exclude<Datatype, 'FP16'>, unknown, string]>([
    ['UINT16', 0x0102, '0201'],
    ['UINT32', 0x01020304, '04030201'],
    ['UINT64', 2 ** 53 - 1, 'ffffffffffff1f00'],
    ['INT8', -1, 'ff'],
    ['INT16', -2, 'feff'],
    ['INT32', -2, 'feffffff'],
    ['INT64', -(2 ** 53 - 1), '010000000000e0ff'],
    ['FP32', 1.5, '0000c03f'],
    ['FP64', 1.5, '000000000000f83f'],
    ['BOOL', true, '01'],
    ['BYTES', 'é', '02000000c3a9'],
  ])('of %s, %j, is little-endian', (datatype, value, hex) => {
    expect(Buffer.from(dataFromJson('t', datatype, [1], [value])).toString('hex')).toBe(hex)
  })

  test('nested by its shape is the flat one', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 }), fc.nat(3), (a, b, c) => {
        const flat = Array.from({ length: a * b * c }, (_, at) => at)
        const nested = Array.from({ length: a }, (_, i) =>
          Array.from({ length: b }, (_, j) => flat.slice((i * b + j) * c, (i * b + j + 1) * c)),
        )
        const shape = [a, b, c]
        expect(dataFromJson('t', 'UINT8', shape, nested)).toEqual(dataFromJson('t', 'UINT8', shape, flat))
      }),
    )
  })

  test.each<[Datatype, unknown]>([
    ['UINT8', -1],
    ['UINT8', 256],
    ['UINT8', 0.5],
    ['UINT8', '1'],
    ['UINT8', true],
    ['UINT8', null],
    ['UINT16', 65_536],
    ['UINT32', 4_294_967_296],
    ['UINT64', -1],
    ['UINT64', 2 ** 53],
    ['INT8', -129],
    ['INT8', 128],
    ['INT16', -32_769],
    ['INT16', 32_768],
    ['INT32', -2_147_483_649],
    ['INT32', 2_147_483_648],
    ['INT64', 2 ** 53],
    ['INT64', -(2 ** 53)],
    // What 2^53 + 1 reads as: its neighbour.
    ['INT64', JSON.parse('9007199254740993')],
    ['FP32', MAX_FLOAT * 1.01],
    ['FP32', null],
    ['FP32', 'NaN'],
    ['FP64', JSON.parse('1e400')],
    ['FP64', []],
    ['BOOL', 1],
    ['BOOL', 'true'],
    ['BYTES', 1],
    ['BYTES', { toString: 1 }],
  ])('of %s is refused with an element %j', (datatype, value) => {
    expect(() => dataFromJson('t', datatype, [1], [value])).toThrow(refused('value_invalid'))
  })

  test('takes the doubles that round to the greatest float', () => {
    expect(
      dataToJson({
        name: 't',
        datatype: 'FP32',
        shape: [1],
        data: dataFromJson('t', 'FP32', [1], [MAX_FLOAT * (1 + 1e-9)]),
      }),
    ).toEqual([MAX_FLOAT])
  })

  test('says where 64-bit integers beyond 2^53 can go', () => {
    expect(() => dataFromJson('t', 'INT64', [1], [2 ** 53])).toThrow(/only as binary data/)
  })

  test('has no form for FP16', () => {
    expect(() => dataFromJson('t', 'FP16', [1], [1])).toThrow(refused('binary_required'))
    const data = Uint8Array.of(0, 0x3c)
    expect(() => dataToJson({ name: 't', datatype: 'FP16', shape: [1], data })).toThrow(
      refused('binary_required'),
    )
  })

  test.each<[string, Datatype, ArrayBufferView]>([
    ['NaN', 'FP32', Float32Array.of(Number.NaN)],
    ['infinity', 'FP32', Float32Array.of(Number.POSITIVE_INFINITY)],
    ['minus infinity', 'FP64', Float64Array.of(Number.NEGATIVE_INFINITY)],
    ['2^53', 'INT64', BigInt64Array.of(2n ** 53n)],
    ['2^53 + 1', 'INT64', BigInt64Array.of(2n ** 53n + 1n)],
    ['−2^53', 'INT64', BigInt64Array.of(-(2n ** 53n))],
    ['2^64 − 1', 'UINT64', BigUint64Array.of(2n ** 64n - 1n)],
    ['bytes that are not UTF-8', 'BYTES', Buffer.from('\x01\0\0\0\xff', 'latin1')],
  ])(
    'has no form for %s: the answer says so, and how to get it',
    (_, datatype, { buffer, byteOffset, byteLength }) => {
      const data = new Uint8Array(buffer, byteOffset, byteLength)
      const encode = () => dataToJson({ name: 't', datatype, shape: [1], data })
      expect(encode).toThrow(refused('binary_required'))
      expect(encode).toThrow(/binary_data_output/)
    },
  )

  test('has four million elements at most', () => {
    const of = (count: number) => ({
      name: 't',
      datatype: 'BOOL' as const,
      shape: [count],
      data: new Uint8Array(count),
    })
    expect(dataToJson(of(2 ** 22))).toHaveLength(2 ** 22)
    expect(() => dataToJson(of(2 ** 22 + 1))).toThrow(refused('binary_required'))
    expect(() => dataToJson({ ...of(2 ** 22 + 1), datatype: 'UINT8' })).toThrow(refused('binary_required'))
    const strings = {
      ...of(2 ** 22 + 1),
      datatype: 'BYTES' as const,
      data: new Uint8Array(4 * (2 ** 22 + 1)),
    }
    expect(() => dataToJson(strings)).toThrow(refused('binary_required'))
  })
})
