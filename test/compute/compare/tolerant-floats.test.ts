import fc from 'fast-check'
import { expect, test } from 'vitest'
import { floatsOf, nearness, rootMeanSquare, worstElement } from '../../../compute/compare/tolerant-floats.ts'

test.each([
  // By the definition in IEEE 754-2019, 3.4: zeros, subnormals, both ends of the normal numbers, infinities, NaN.
  [0x0000, 0],
  [0x8000, -0],
  [0x0001, 2 ** -24],
  [0x03ff, 2 ** -14 * (1023 / 1024)],
  [0x0400, 2 ** -14],
  [0x3555, 0.333251953125],
  [0x3bff, 0.99951171875],
  [0x3c00, 1],
  [0x3c01, 1.0009765625],
  [0xc000, -2],
  [0x7bff, 65_504],
  [0x7c00, Number.POSITIVE_INFINITY],
  [0xfc00, Number.NEGATIVE_INFINITY],
  [0x7c01, Number.NaN],
  [0xfe00, Number.NaN],
])('binary16 %i is %f', (bits, value) => {
  const data = new Uint8Array(Uint16Array.of(bits).buffer)
  expect(floatsOf({ name: 'a', datatype: 'FP16', shape: [1], data })?.[0]).toBe(value)
})

test.each([
  ['FP16', Uint16Array.of(0x3e00, 0xc000)],
  ['FP32', Float32Array.of(1.5, -2)],
  ['FP64', Float64Array.of(1.5, -2)],
] as const)('reads %s from bytes that are aligned and from bytes that are not', (datatype, values) => {
  const bytes = new Uint8Array(values.buffer)
  for (const gap of [0, 1, 8]) {
    const data = new Uint8Array(Buffer.concat([Buffer.alloc(gap), bytes])).subarray(gap)
    expect([...(floatsOf({ name: 'a', datatype, shape: [2], data }) ?? [])]).toEqual([1.5, -2])
  }
})

test('integers, booleans and texts have no floats', () => {
  for (const datatype of ['BOOL', 'INT8', 'UINT64', 'BYTES'] as const) {
    expect(floatsOf({ name: 'a', datatype, shape: [0], data: new Uint8Array(0) })).toBeNull()
  }
})

test.each([
  ['none', [], 0],
  ['zeros', [0, -0], 0],
  ['a 3-4 pair', [3, 4], Math.sqrt(12.5)],
  ['numbers beside what is none', [3, Number.NaN, 4, Number.NEGATIVE_INFINITY], Math.sqrt(12.5)],
  ['nothing finite', [Number.NaN, Number.POSITIVE_INFINITY], 0],
  ['numbers whose squares overflow', [1e300, -1e300], 1e300],
  ['numbers whose squares vanish', [1e-300, -1e-300], 1e-300],
])('the root mean square of %s', (_, values, expected) => {
  expect(rootMeanSquare(Float64Array.from(values)) / (expected || 1)).toBeCloseTo(expected === 0 ? 0 : 1, 12)
})

const NO_NUMBER = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
const limits = { atol: 1, rtol: 0.5, rms: 10 }

test.each([
  ['the element itself where it exceeds the mean', 100, 100 + 51, 1],
  ['the mean where the element is small', 2, 2 + 6, 1],
  ['either direction', 100, 100 - 25.5, 0.5],
  ['nothing for equal numbers', 3, 3, 0],
  ['nothing for zeros of either sign', 0, -0, 0],
])('measures by %s', (_, own, claimed, ratio) => {
  expect(worstElement(Float64Array.of(claimed), Float64Array.of(own), limits)).toEqual({ index: 0, ratio })
})

test('on the bound itself is near, the next number is not', () => {
  const own = Float64Array.of(100)
  expect(nearness(Float64Array.of(151), own, limits)).toBe(51)
  expect(nearness(Float64Array.of(151 + 2 ** -45), own, limits)).toBeNull()
})

test('a NaN matches only a NaN, an infinity only itself', () => {
  const values = [...NO_NUMBER, 1]
  for (const claimed of values) {
    for (const own of values) {
      const pair = [Float32Array.of(5, claimed), Float32Array.of(4, own)] as const
      expect(worstElement(...pair, limits).ratio === Number.POSITIVE_INFINITY).toBe(!Object.is(claimed, own))
      expect(nearness(...pair, limits)).toBe(Object.is(claimed, own) ? 1 : null)
    }
  }
})

test('without tolerance any difference is infinitely much', () => {
  const none = { atol: 0, rtol: 0, rms: 1 }
  expect(worstElement(Float32Array.of(1, 2), Float32Array.of(1, 2 + 2 ** -22), none)).toEqual({
    index: 1,
    ratio: Number.POSITIVE_INFINITY,
  })
})

test('a difference of binary64 that overflows is infinitely much', () => {
  const { ratio } = worstElement(Float64Array.of(1.7e308), Float64Array.of(-1.7e308), limits)
  expect(ratio).toBe(Number.POSITIVE_INFINITY)
})

test('a difference that overflows lies outside of a bound that overflows, too', () => {
  const [claimed, own] = [Float64Array.of(1, 1.7e308), Float64Array.of(1, -1.7e308)]
  const wide = { atol: 0, rtol: 3, rms: 1 }
  expect(nearness(claimed, own, wide)).toBeNull()
  expect(worstElement(claimed, own, wide)).toEqual({ index: 1, ratio: Number.POSITIVE_INFINITY })
})

test('names the same worst element as a plain division of every one', () => {
  const numbers = fc.array(
    fc.tuple(fc.float({ noNaN: true, min: -1e6, max: 1e6 }), fc.float({ noNaN: true, min: -1, max: 1 })),
    { minLength: 1, maxLength: 40 },
  )
  fc.assert(
    fc.property(numbers, (pairs) => {
      const own = Float64Array.from(pairs, ([value]) => value)
      const claimed = Float64Array.from(pairs, ([value, difference]) => value + difference)
      const ratios = [...own].map(
        (b, index) => Math.abs(Number(claimed[index]) - b) / (1 + 0.5 * Math.max(Math.abs(b), 10)),
      )
      const { index, ratio } = worstElement(claimed, own, limits)
      expect(ratio).toBe(Math.max(...ratios))
      expect(ratios[index]).toBe(ratio)
      const differences = [...own].map((b, i) => Math.abs(Number(claimed[i]) - b))
      expect(nearness(claimed, own, limits)).toBe(ratio <= 1 ? Math.max(...differences) : null)
    }),
  )
})
