import { expect, test } from 'vitest'
import { anchoredView } from '../../../src/rules/anchored.ts'
import { budgetInForce } from '../../../src/rules/budget.ts'

const RULES = {
  startHeight: 100,
  epochBlocks: 10,
  verdictBlocks: 8,
  finalDepth: 2,
  beaconDelay: 1,
  maturityBlocks: 3,
}
const anchored = anchoredView([
  { index: 0, height: 109, size: 5, state: 'final' },
  { index: 1, height: 110, size: 6, state: 'final' },
])

test.each([
  ['anchored in the block before the epoch', 4, 9n],
  ["anchored in the epoch's first block", 5, 0n],
  ['not anchored', 6, 0n],
])('a budget %s', (_, entry, msat) => {
  expect(budgetInForce({ entry, msat: 9n }, 1, { anchored, rules: RULES })).toBe(msat)
})

test('no budget is none', () => {
  expect(budgetInForce(null, 1, { anchored, rules: RULES })).toBe(0n)
})
