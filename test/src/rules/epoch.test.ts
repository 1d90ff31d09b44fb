import fc from 'fast-check'
import { expect, test } from 'vitest'
import { assignmentHeight } from '../../../src/rules/assignment.ts'
import {
  beaconHeight,
  type EpochRules,
  epochOf,
  firstHeight,
  inheritedMaturityHeight,
  lastHeight,
  maturityHeight,
  settlementHeight,
  verdictCutoffHeight,
} from '../../../src/rules/epoch.ts'

const rules: EpochRules = {
  startHeight: 100,
  epochBlocks: 144,
  verdictBlocks: 36,
  finalDepth: 6,
  beaconDelay: 6,
  maturityBlocks: 432,
}

test.each([
  [0, null],
  [99, null],
  [100, 0],
  [243, 0],
  [244, 1],
  [387, 1],
  [388, 2],
])('block %i belongs to epoch %s', (height, epoch) => {
  expect(epochOf(height, rules)).toBe(epoch)
})

test('verdicts, settlement and maturity follow an epoch in this order', () => {
  expect(firstHeight(1, rules)).toBe(244)
  expect(lastHeight(1, rules)).toBe(387)
  expect(verdictCutoffHeight(1, rules)).toBe(423)
  expect(settlementHeight(1, rules)).toBe(429)
  expect(maturityHeight(1, rules)).toBe(861)
})

test('the beacon of an epoch’s assignments is final when it starts', () => {
  expect(assignmentHeight(0, rules)).toBe(94)
  expect(assignmentHeight(2, rules)).toBe(382)
})

test('what an older log left unmatured waits from the start as long as any', () => {
  expect(inheritedMaturityHeight(rules)).toBe(532)
})

test('the beacon is the block at the delay after the anchor', () => {
  expect(beaconHeight(250, rules)).toBe(256)
})

test('epochs tile the chain: each block from the start lies in exactly the epoch that spans it', () => {
  fc.assert(
    fc.property(
      fc.nat(1_000_000),
      fc.integer({ min: 1, max: 5000 }),
      fc.nat(2_000_000),
      (startHeight, epochBlocks, above) => {
        const some = { ...rules, startHeight, epochBlocks }
        const epoch = epochOf(startHeight + above, some)
        if (epoch === null) throw new Error('a block at or after the start has an epoch')
        expect(firstHeight(epoch, some)).toBeLessThanOrEqual(startHeight + above)
        expect(lastHeight(epoch, some)).toBeGreaterThanOrEqual(startHeight + above)
        expect(firstHeight(epoch + 1, some)).toBe(lastHeight(epoch, some) + 1)
      },
    ),
  )
})

test.each([-1, 0.5, Number.NaN, 2 ** 53])('%d is no height and no epoch', (value) => {
  expect(() => epochOf(value, rules)).toThrow('count')
  expect(() => firstHeight(value, rules)).toThrow('count')
  expect(() => beaconHeight(value, rules)).toThrow('count')
})
