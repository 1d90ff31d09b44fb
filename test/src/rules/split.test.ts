import fc from 'fast-check'
import { expect, test } from 'vitest'
import { splitByFloor, splitByLargestRemainder, type Weight } from '../../../src/rules/split.ts'

const totals = fc.bigInt({ min: 0n, max: 2n ** 63n - 1n })
const weightLists = fc.uniqueArray(
  fc.record({ key: fc.string({ maxLength: 3 }), weight: fc.bigInt({ min: 0n, max: 1_000_000n }) }),
  { selector: ({ key }) => key, maxLength: 20 },
)

function weightsOf(weights: Record<string, bigint>): Weight[] {
  return Object.entries(weights).map(([key, weight]) => ({ key, weight }))
}

function sum(parts: Map<string, bigint>): bigint {
  return [...parts.values()].reduce((a, b) => a + b, 0n)
}

test('the largest remainder is rounded up first, equal ones in the order of their keys', () => {
  expect(Object.fromEntries(splitByLargestRemainder(10n, weightsOf({ c: 1n, b: 1n, a: 1n })))).toEqual({
    a: 4n,
    b: 3n,
    c: 3n,
  })
  expect(Object.fromEntries(splitByLargestRemainder(100n, weightsOf({ a: 334n, b: 339n, c: 327n })))).toEqual(
    {
      a: 33n,
      b: 34n,
      c: 33n,
    },
  )
})

test('rounding down leaves the rest to nobody', () => {
  expect(Object.fromEntries(splitByFloor(10n, weightsOf({ a: 1n, b: 2n, c: 0n })))).toEqual({
    a: 3n,
    b: 6n,
    c: 0n,
  })
})

test('the parts of largest remainder sum to the total, each within 1 msat of its exact share', () => {
  fc.assert(
    fc.property(totals, weightLists, (totalMsat, weights) => {
      const parts = splitByLargestRemainder(totalMsat, weights)
      const whole = weights.reduce((a, { weight }) => a + weight, 0n)
      if (whole === 0n) {
        expect(parts.size).toBe(0)
        return
      }
      expect(sum(parts)).toBe(totalMsat)
      expect(parts.size).toBe(weights.length)
      for (const { key, weight } of weights) {
        const part = parts.get(key) ?? -1n
        const floor = (totalMsat * weight) / whole
        expect(part === floor || part === floor + 1n).toBe(true)
        if (weight === 0n) expect(part).toBe(0n)
      }
    }),
  )
})

test('the order of the weights plays no part', () => {
  fc.assert(
    fc.property(totals, weightLists, (totalMsat, weights) => {
      const forwards = splitByLargestRemainder(totalMsat, weights)
      const backwards = splitByLargestRemainder(totalMsat, weights.toReversed())
      expect(new Map([...backwards].reverse())).toEqual(forwards)
    }),
  )
})

test('rounding down leaves less than 1 msat a key', () => {
  fc.assert(
    fc.property(totals, weightLists, (totalMsat, weights) => {
      const parts = splitByFloor(totalMsat, weights)
      if (parts.size === 0) return
      const leftMsat = totalMsat - sum(parts)
      expect(leftMsat).toBeGreaterThanOrEqual(0n)
      expect(leftMsat).toBeLessThan(BigInt(parts.size))
    }),
  )
})

test('a share cut in pieces wins less than 1 msat a piece by largest remainder, and nothing by rounding down', () => {
  const pieces = fc.array(fc.bigInt({ min: 0n, max: 12n }), { minLength: 2, maxLength: 5 })
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 60n }), weightLists, pieces, (totalMsat, others, weights) => {
      const whole = weights.reduce((a, b) => a + b, 0n)
      const gain = (split: typeof splitByFloor) => {
        const alone = split(totalMsat, [...others, { key: 'mine', weight: whole }]).get('mine') ?? 0n
        const cut = split(totalMsat, [
          ...others,
          ...weights.map((weight, i) => ({ key: `mine ${i}`, weight })),
        ])
        return sum(new Map([...cut].filter(([key]) => key.startsWith('mine')))) - alone
      }
      expect(gain(splitByLargestRemainder)).toBeLessThan(BigInt(weights.length))
      expect(gain(splitByFloor)).toBeLessThanOrEqual(0n)
    }),
    { numRuns: 500 },
  )
})

test('largest remainder does let a share cut in two win 1 msat: why workers’ shares are rounded down', () => {
  const others = weightsOf({ a: 3n, y: 26n, z: 31n })
  const alone = splitByLargestRemainder(27n, [...others, ...weightsOf({ m: 6n })])
  const cut = splitByLargestRemainder(27n, [...others, ...weightsOf({ m1: 2n, m2: 4n })])
  expect([alone.get('m'), cut.get('m1'), cut.get('m2')]).toEqual([2n, 1n, 2n])
})

test.each([splitByFloor, splitByLargestRemainder])(
  '$name refuses negative numbers and keys listed twice',
  (split) => {
    expect(() => split(-1n, weightsOf({ a: 1n }))).toThrow('negative')
    expect(() => split(1n, weightsOf({ a: -1n, b: 2n }))).toThrow('negative')
    expect(() => split(1n, [...weightsOf({ a: 1n }), ...weightsOf({ a: 1n })])).toThrow('twice')
  },
)

test.each([splitByFloor, splitByLargestRemainder])('$name gives nothing to nobody', (split) => {
  expect(split(5n, []).size).toBe(0)
  expect(split(5n, weightsOf({ a: 0n })).size).toBe(0)
})
