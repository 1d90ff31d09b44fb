import { expect, test } from 'vitest'
import { openExpectedReward } from '../../../src/rules/expected-reward.ts'
import type { SubnetDefinition } from '../../../src/subnet/definition.ts'
import { tinyDefinition } from '../coordinator/tiny-market.ts'

const BOOKED_MSAT = 10_000_000n

function subnet(name: string, weight: number, perEpoch: number | null, ...units: number[]): SubnetDefinition {
  const definition = tinyDefinition()
  return {
    ...definition,
    name,
    weight,
    operatorBasisPoints: 1_000,
    dataset: perEpoch === null ? null : { items: 1_000, list: new Uint8Array(32), perEpoch },
    models: units.flatMap((unitsPerItem) => definition.models.map((model) => ({ ...model, unitsPerItem }))),
  }
}

/** 95 % of 10,000 sat: a quarter for `small`, the rest for `large`. */
const reward = openExpectedReward(
  {
    subnetsAt: () => [
      subnet('closed', 4, null, 1),
      { ...subnet('hidden', 1_000, null, 1), privacy: 'private' },
      subnet('large', 12, 50, 30, 70),
      subnet('small', 4, 100, 7),
    ],
  },
  { booked: (epoch) => (epoch === 3 ? BOOKED_MSAT : 0n) },
  { at: (name, epoch) => (name === 'large' && epoch === 3 ? 10n ** 15n : 0n) },
  500,
)

test.each([
  // 9,500,000 × 4/20 over 100 items of 7 units.
  ['small', 7n, 19_000n],
  ['small', 14n, 38_000n],
  // 9,500,000 × 12/20 over 50 items of 30 and 50 of 70 units.
  ['large', 30n, 34_200n],
  ['large', 70n, 79_800n],
])('an item of %s with %i units may earn %i msat', (name, units, msat) => {
  expect(reward({ subnet: name, item: 0n, epoch: 3n, units })).toBe(msat)
})

test('all items of an epoch together may earn no more than its compute share', () => {
  const all =
    100n * reward({ subnet: 'small', item: 0n, epoch: 3n, units: 7n }) +
    50n * reward({ subnet: 'large', item: 0n, epoch: 3n, units: 30n }) +
    50n * reward({ subnet: 'large', item: 0n, epoch: 3n, units: 70n })
  expect(all).toBeLessThanOrEqual((BOOKED_MSAT * 95n) / 100n)
})

test.each([
  ['a free request', { subnet: 'small', item: null, epoch: 3n, units: 7n }],
  ['work of a subnet without a dataset', { subnet: 'closed', item: 0n, epoch: 3n, units: 1n }],
  ['private work', { subnet: 'hidden', item: 0n, epoch: 3n, units: 1n }],
  ['work of an unknown subnet', { subnet: 'none', item: 0n, epoch: 3n, units: 1n }],
  ['work of an epoch without a budget', { subnet: 'small', item: 0n, epoch: 4n, units: 7n }],
])('%s earns no subsidy', (_what, work) => {
  expect(reward(work)).toBe(0n)
})

test('a request may earn its price, less the share of the operator', () => {
  expect(reward({ subnet: 'large', item: null, epoch: 3n, units: 100n })).toBe(90n)
})
