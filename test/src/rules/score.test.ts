import { expect, test } from 'vitest'
import { scoreOf } from '../../../src/rules/score.ts'

test('throughput counts rewards, exactly beyond 2^53', () => {
  expect(scoreOf([{ rewardMsat: 2n ** 60n }, { rewardMsat: 1n }])).toBe(2n ** 60n + 1n)
})

test('no receipts score nothing', () => {
  expect(scoreOf([])).toBe(0n)
})

test('a negative reward is a bug: two negatives must never make a fortune', () => {
  expect(() => scoreOf([{ rewardMsat: -1n }])).toThrow('negative')
})
