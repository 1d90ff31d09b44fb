import fc from 'fast-check'
import { expect, test } from 'vitest'
import { earnedShare } from '../../../../src/rules/objectives/earned-share.ts'
import type { Objective } from '../../../../src/rules/objectives/objective.ts'
import type { Ratio } from '../../../../src/rules/sampling.ts'

const THROUGHPUT: Objective = { name: 'throughput' }
const LATENCY: Objective = { name: 'latency', targetMs: 200, limitMs: 1_200 }

const ms = fc.nat(10_000)
const objectives: fc.Arbitrary<Objective> = fc.oneof(
  fc.constant(THROUGHPUT),
  fc.record({ targetMs: ms, span: fc.integer({ min: 1, max: 10_000 }) }).map(({ targetMs, span }) => {
    return { name: 'latency' as const, targetMs, limitMs: targetMs + span }
  }),
)

function after(objective: Objective, waitedMs: number, leasedMs = 1_700_000_000_000): Ratio {
  return earnedShare(objective, { leasedMs, answeredMs: leasedMs + waitedMs })
}

function isAtMost(a: Ratio, b: Ratio): boolean {
  return a.numerator * b.denominator <= b.numerator * a.denominator
}

test.each([
  [0, 1_000n],
  [200, 1_000n],
  [201, 999n],
  [700, 500n],
  [1_199, 1n],
  [1_200, 0n],
  [10 ** 9, 0n],
])('latency: an answer after %i ms of 200 to 1,200 earns %i thousandths', (waitedMs, numerator) => {
  expect(after(LATENCY, waitedMs)).toEqual({ numerator, denominator: 1_000n })
})

test('throughput: every answer earns the whole', () => {
  fc.assert(
    fc.property(ms, (waitedMs) => {
      const { numerator, denominator } = after(THROUGHPUT, waitedMs)
      expect(numerator).toBe(denominator)
    }),
  )
})

test('a share is from 0 to 1, and who is faster never gets less', () => {
  fc.assert(
    fc.property(objectives, ms, ms, (objective, waitedMs, moreMs) => {
      const fast = after(objective, waitedMs)
      const slow = after(objective, waitedMs + moreMs)
      expect(isAtMost({ numerator: 0n, denominator: 1n }, slow)).toBe(true)
      expect(isAtMost(slow, fast)).toBe(true)
      expect(isAtMost(fast, { numerator: 1n, denominator: 1n })).toBe(true)
    }),
  )
})

test('only the time between counts, not when it was', () => {
  fc.assert(
    fc.property(objectives, ms, fc.nat(), (objective, waitedMs, leasedMs) => {
      expect(after(objective, waitedMs, leasedMs)).toEqual(after(objective, waitedMs))
    }),
  )
})

test('a limit at its target is a bug: definitions are refused with one', () => {
  expect(() => after({ name: 'latency', targetMs: 5, limitMs: 5 }, 5)).toThrow('above its target')
})
