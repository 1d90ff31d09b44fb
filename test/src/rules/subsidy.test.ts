import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type SubsidyRules, subsidyMsat } from '../../../src/rules/subsidy.ts'

const NO_CAP = 2n ** 62n

function sumOfAll(rules: SubsidyRules, step = 1): bigint {
  let sum = 0n
  for (
    let epoch = 0;
    rules.initialMsat >> BigInt(Math.floor(epoch / rules.halvingEpochs)) > 0n;
    epoch += step
  ) {
    sum += subsidyMsat(epoch, rules) * BigInt(step)
  }
  return sum
}

test('with Bitcoin’s parameters it grants what Bitcoin grants', () => {
  // Bitcoin Core, src/test/validation_tests.cpp, subsidy_limit_test: 2,099,999,997,690,000 sat, summed in steps of 1,000 blocks.
  const bitcoin = { initialMsat: 5_000_000_000n, halvingEpochs: 210_000, capMsat: NO_CAP }
  expect(sumOfAll(bitcoin, 1000)).toBe(2_099_999_997_690_000n)
})

test.each([
  [0, 1000n],
  [9, 1000n],
  [10, 500n],
  [29, 250n],
  [99, 1n],
  [100, 0n],
  [2 ** 40, 0n],
])('epoch %i is granted %s msat', (epoch, msat) => {
  expect(subsidyMsat(epoch, { initialMsat: 1000n, halvingEpochs: 10, capMsat: NO_CAP })).toBe(msat)
})

test('the cap cuts the epoch that would pass it and ends all later ones', () => {
  const rules = { initialMsat: 1000n, halvingEpochs: 10, capMsat: 2500n }
  expect([0, 1, 2, 3, 10].map((epoch) => subsidyMsat(epoch, rules))).toEqual([1000n, 1000n, 500n, 0n, 0n])
})

test('the sum over all epochs is the smaller of schedule and cap, as an integer', () => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: 0n, max: 5000n }),
      fc.integer({ min: 1, max: 12 }),
      fc.bigInt({ min: 0n, max: 60_000n }),
      (initialMsat, halvingEpochs, capMsat) => {
        const scheduled = sumOfAll({ initialMsat, halvingEpochs, capMsat: NO_CAP })
        const granted = sumOfAll({ initialMsat, halvingEpochs, capMsat })
        if (scheduled > capMsat) expect(granted).toBe(capMsat)
        else expect(granted).toBe(scheduled)
      },
    ),
  )
})

test('malformed rules and epochs are bugs', () => {
  const rules = { initialMsat: 1n, halvingEpochs: 1, capMsat: 1n }
  expect(() => subsidyMsat(-1, rules)).toThrow('epoch')
  expect(() => subsidyMsat(0.5, rules)).toThrow('epoch')
  expect(() => subsidyMsat(0, { ...rules, halvingEpochs: 0 })).toThrow('halvings')
  expect(() => subsidyMsat(0, { ...rules, initialMsat: -1n })).toThrow('negative')
  expect(() => subsidyMsat(0, { ...rules, capMsat: -1n })).toThrow('negative')
})
