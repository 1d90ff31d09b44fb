import { expect, test } from 'vitest'
import { scoreOf } from '../../../src/rules/score.ts'

const WHOLE = { numerator: 1n, denominator: 1n }

test('rewards of which nothing is taken off are counted exactly, beyond 2^53', () => {
  expect(
    scoreOf([
      { rewardMsat: 2n ** 60n, share: WHOLE },
      { rewardMsat: 1n, share: WHOLE },
    ]),
  ).toBe(2n ** 60n + 1n)
})

test('no receipts score nothing', () => {
  expect(scoreOf([])).toBe(0n)
})

test('a negative reward is a bug: two negatives must never make a fortune', () => {
  expect(() => scoreOf([{ rewardMsat: -1n, share: WHOLE }])).toThrow('negative')
})

test('a share is taken of each receipt by itself, rounded down', () => {
  const share = { numerator: 2n, denominator: 3n }
  expect(scoreOf([{ rewardMsat: 2n ** 60n, share }])).toBe(768_614_336_404_564_650n)
  const ones = Array.from({ length: 3 }, () => ({ rewardMsat: 1n, share }))
  expect(scoreOf(ones)).toBe(0n)
})

test.each([
  [4n, 3n],
  [-1n, 3n],
])('a share of %i/%i is a bug', (numerator, denominator) => {
  expect(() => scoreOf([{ rewardMsat: 1n, share: { numerator, denominator } }])).toThrow('from 0 to 1')
})
