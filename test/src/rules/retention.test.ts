import fc from 'fast-check'
import { expect, test } from 'vitest'
import { maturityHeight } from '../../../src/rules/epoch.ts'
import { newestReleased, retentionHeight } from '../../../src/rules/retention.ts'

const RULES = {
  startHeight: 100,
  epochBlocks: 6,
  verdictBlocks: 8,
  finalDepth: 2,
  beaconDelay: 1,
  maturityBlocks: 3,
}

test('bytes are held 144 blocks longer than rewards can be lost', () => {
  expect(retentionHeight(4, RULES)).toBe(maturityHeight(4, RULES) + 144)
})

test('no epoch is released before the first one is', () => {
  expect(newestReleased(retentionHeight(0, RULES) - 1, RULES)).toBeNull()
  expect(newestReleased(retentionHeight(0, RULES), RULES)).toBe(0)
})

test('the newest released epoch is past its retention at the tip, and the next one is not', () => {
  const first = retentionHeight(0, RULES)
  fc.assert(
    fc.property(fc.integer({ min: first, max: first + 10_000 }), (tip) => {
      const epoch = newestReleased(tip, RULES) ?? -1
      return retentionHeight(epoch, RULES) <= tip && tip < retentionHeight(epoch + 1, RULES)
    }),
  )
})
