import { expect, test } from 'vitest'
import { scoreOf } from '../../../src/rules/score.ts'

test('throughput counts units, exactly beyond 2^53', () => {
  expect(scoreOf([{ units: 2n ** 60n }, { units: 1n }])).toBe(2n ** 60n + 1n)
})

test('no receipts score nothing', () => {
  expect(scoreOf([])).toBe(0n)
})

test('negative units are a bug: two negatives must never make a fortune', () => {
  expect(() => scoreOf([{ units: -1n }])).toThrow('negative')
})
