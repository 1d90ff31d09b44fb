import { expect, test } from 'vitest'
import { simulateStatistic } from '../../../src/simulate/statistic.ts'

/** `assay simulate --statistic` plays 20,000 lives; a tenth of them, with the same bars, is enough to notice a changed rule. */
const SEEDS = 2_000

test('honest workers are hardly ever convicted, and cheats nearly always before their first cheated reward matures', () => {
  const rows = simulateStatistic(SEEDS)
  const share = (name: string) => (rows.find((row) => row.case === name)?.convicted ?? Number.NaN) / SEEDS
  expect(share('honest, fails 0.3 %')).toBeLessThanOrEqual(0.001)
  expect(share('cheats in 10 %, d = 1')).toBeGreaterThanOrEqual(0.99)
  // Five standard deviations around what 20,000 lives give: a rule gone slack or harsh leaves them.
  expect(share('cheats in 10 %, d = 0.8')).toBeGreaterThan(0.96)
  expect(share('cheats in 10 %, d = 0.8')).toBeLessThan(0.995)
  expect(share('honest, fails 1 %')).toBeGreaterThan(0.32)
  expect(share('honest, fails 1 %')).toBeLessThan(0.44)
  expect(rows.map(({ ok }) => ok)).toEqual([true, true, null, null, null])
})

test('the same seeds give the same rows', () => {
  expect(simulateStatistic(20)).toEqual(simulateStatistic(20))
})

test('every life is told of as soon as it is played', () => {
  const told: [number, number][] = []
  simulateStatistic(3, (...progress) => told.push(progress))
  expect(told).toEqual(Array.from({ length: 15 }, (_, at) => [at + 1, 15]))
})
