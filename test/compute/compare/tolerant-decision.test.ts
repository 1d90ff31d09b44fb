import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decisionFault } from '../../../compute/compare/tolerant-decision.ts'
import { rootMeanSquare } from '../../../compute/compare/tolerant-floats.ts'

const best = { count: 1, tie: 0.1 }
const fault = (claimed: number[], own: number[], rowLength: number, top = best) =>
  decisionFault(Float32Array.from(claimed), Float32Array.from(own), rowLength, top, {
    rms: 1,
    largest: Infinity,
  })

test.each([
  ['the same largest number', [1, 3, 2], [1, 9, 2], 3, best, null],
  ['another one', [3, 1, 2], [1, 3, 2], 3, best, 0],
  ['another one that ties within the bound', [1, 2, 0], [1, 0.95, 0], 3, best, null],
  ['another one just outside of it', [1, 2, 0], [1, 0.85, 0], 3, best, 0],
  ['a later row, by its place', [1, 2, 2, 1, 5, 6], [1, 2, 2, 1, 6, 5], 2, best, 2],
  ['single numbers, which decide nothing', [1, 2], [2, 1], 1, best, null],
  ['the same three in another order', [3, 2, 1, 0], [1, 2, 3, 0], 4, { count: 3, tie: 0 }, null],
  ['one stranger among three', [3, 2, 0, 1], [3, 2, 1, 0], 4, { count: 3, tie: 0 }, 0],
  ['more wanted than there are', [1, 2], [2, 1], 2, { count: 5, tie: 0 }, null],
  ['no rows', [], [], 3, best, null],
  ['rows of no length', [], [], 0, best, null],
  ['a tie without any allowance', [1, 1], [1, 1], 2, { count: 1, tie: 0 }, null],
])('%s', (_, claimed, own, rowLength, top, row) => {
  expect(fault(claimed, own, rowLength, top)).toBe(row)
})

test('a NaN is never the largest', () => {
  expect(fault([Number.NaN, 1, 2], [Number.NaN, 1, 2], 3)).toBeNull()
  expect(fault([Number.NaN, 2, 1], [Number.NaN, 1, 2], 3)).toBe(0)
  expect(fault([Number.NaN, Number.NaN], [Number.NaN, Number.NaN], 2)).toBeNull()
})

test('an infinity is the largest wherever it stands', () => {
  const infinity = Number.POSITIVE_INFINITY
  expect(fault([1, infinity], [1, infinity], 2)).toBeNull()
  expect(fault([infinity, infinity], [infinity, infinity], 2)).toBeNull()
})

test('picks the numbers that sorting picks', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.integer({ min: -1_000, max: 1_000 }), { minLength: 2, maxLength: 20 }),
      fc.integer({ min: 1, max: 8 }),
      (own, count) => {
        const reached = own.toSorted((a, b) => b - a)[Math.min(count, own.length) - 1] ?? 0
        const raised = (place: number) => own.map((value, at) => (at === place ? 5_000 : value))
        own.forEach((value, place) => {
          const expected = value >= reached ? null : 0
          expect(fault(raised(place), own, own.length, { count, tie: 0 })).toBe(expected)
        })
      },
    ),
  )
})

test('numbers that lie nearer than half a tie decide alike: the rows need not be looked at', () => {
  const numbers = fc.array(fc.tuple(fc.integer({ min: -9, max: 9 }), fc.integer({ min: -9, max: 9 })), {
    minLength: 4,
    maxLength: 40,
  })
  fc.assert(
    fc.property(numbers, fc.integer({ min: 1, max: 4 }), (pairs, count) => {
      const rows = pairs.slice(0, pairs.length - (pairs.length % 4))
      const own = Float64Array.from(rows, ([value]) => value)
      const claimed = Float64Array.from(rows, ([value, move]) => value + move / 100)
      const rms = rootMeanSquare(own)
      const largest = Math.max(...own.map((value, at) => Math.abs(Number(claimed[at]) - value)))
      const top = { count, tie: (2.01 * largest) / rms }
      expect(decisionFault(claimed, own, 4, top, { rms, largest })).toBeNull()
      expect(decisionFault(claimed, own, 4, top, { rms, largest: Infinity })).toBeNull()
    }),
  )
})

test('rows whose next number lies too low to be chosen decide as if they were looked at', () => {
  const numbers = fc.array(fc.tuple(fc.integer({ min: -9, max: 9 }), fc.integer({ min: -3, max: 3 })), {
    minLength: 4,
    maxLength: 40,
  })
  const tops = fc.record({ count: fc.integer({ min: 1, max: 4 }), tie: fc.constantFrom(0, 0.1) })
  fc.assert(
    fc.property(numbers, tops, (pairs, top) => {
      const rows = pairs.slice(0, pairs.length - (pairs.length % 4))
      const own = Float64Array.from(rows, ([value]) => value)
      const claimed = Float64Array.from(rows, ([value, move]) => value + move / 4)
      const largest = Math.max(...rows.map(([, move]) => Math.abs(move) / 4))
      expect(decisionFault(claimed, own, 4, top, { rms: 1, largest })).toBe(
        decisionFault(claimed, own, 4, top, { rms: 1, largest: Infinity }),
      )
    }),
    { numRuns: 1_000 },
  )
})
