import fc from 'fast-check'
import { expect, test } from 'vitest'
import { openExpectedReward } from '../../../src/rules/expected-reward.ts'
import { throughput } from '../../../src/rules/objectives/throughput.ts'
import { settleEpoch } from '../../../src/rules/settle-epoch.ts'
import { subsidyWeight } from '../../../src/rules/subsidy-weight.ts'
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

const LAST_EPOCH = 3

interface Carried {
  auditShareBasisPoints: number
  epochs: { budgetMsat: bigint; subnets: SubnetDefinition[] }[]
  work: { subnet: string; worker: string; epoch: number; model: number }[]
}

/** Markets of an epoch each, and the work of all of them that the last one settles. */
const carried: fc.Arbitrary<Carried> = fc.record({
  auditShareBasisPoints: fc.integer({ min: 0, max: 500 }),
  epochs: fc.array(
    fc.record({
      budgetMsat: fc.oneof(
        fc.constant(0n),
        fc.bigInt({ min: 1n, max: 300n }),
        fc.bigInt({ min: 1n, max: 10n ** 15n }),
      ),
      subnets: fc.tuple(
        ...['a', 'b'].map((name) =>
          fc
            .record({
              weight: fc.integer({ min: 1, max: 9 }),
              perEpoch: fc.integer({ min: 1, max: 50 }),
              units: fc.array(fc.integer({ min: 1, max: 1_000 }), { minLength: 1, maxLength: 3 }),
            })
            .map(({ weight, perEpoch, units }) => subnet(name, weight, perEpoch, ...units)),
        ),
      ),
    }),
    { minLength: LAST_EPOCH + 1, maxLength: LAST_EPOCH + 1 },
  ),
  work: fc.array(
    fc.record({
      subnet: fc.constantFrom('a', 'b'),
      worker: fc.constantFrom('w1', 'w2', 'w3'),
      epoch: fc.nat(LAST_EPOCH),
      model: fc.nat(),
    }),
    { maxLength: 120 },
  ),
})

/** As coordinator and replay do it: expected at the submission by the job's epoch, settled in the last one. */
function settleCarried({ auditShareBasisPoints, epochs, work }: Carried) {
  const subnetsAt = (epoch: number) => epochs[epoch]?.subnets ?? []
  const booked = (epoch: number) => epochs[epoch]?.budgetMsat ?? 0n
  const expected = openExpectedReward({ subnetsAt }, { booked }, { at: () => 0n }, auditShareBasisPoints)
  const receipts = work.map(({ subnet: name, worker, epoch, model }, at) => {
    const models = subnetsAt(epoch).find((one) => one.name === name)?.models ?? []
    const units = BigInt(models[model % models.length]?.unitsPerItem ?? 0)
    const rewardMsat = expected({ subnet: name, item: BigInt(at), epoch: BigInt(epoch), units })
    return {
      receipt: `r${at}`,
      subnet: name,
      worker,
      epoch,
      model: `${model}`,
      units,
      rewardMsat,
      share: throughput(),
      outcome: 'pass' as const,
    }
  })
  const budgetMsat = booked(LAST_EPOCH)
  const settled = settleEpoch({
    budgetMsat,
    auditShareBasisPoints,
    subnets: subnetsAt(LAST_EPOCH).map((one) => ({
      name: one.name,
      weight: subsidyWeight(one),
      receipts: receipts.filter((receipt) => receipt.subnet === one.name),
    })),
    audits: [{ auditor: 'auditor', units: 1n }],
  })
  return { receipts, budgetMsat, settled }
}

test('no receipt is ever paid more than what its audit rate was set by, whichever epoch settles it, and no msat is lost', () => {
  fc.assert(
    fc.property(carried, (given) => {
      // A key for each receipt, so that its pay is a receipt's.
      const work = given.work.map((one, at) => ({ ...one, worker: `w${at}` }))
      const { receipts, budgetMsat, settled } = settleCarried({ ...given, work })
      const paid = [...settled.compute, ...settled.audit].reduce((sum, { msat }) => sum + msat, 0n)
      expect(paid + settled.returnedMsat).toBe(budgetMsat)
      for (const { worker, msat } of settled.compute) {
        const receipt = receipts.find((one) => one.worker === worker)
        expect(msat).toBeLessThanOrEqual(receipt?.rewardMsat ?? 0n)
      }
    }),
  )
})

test('who has several receipts earns no more than what was expected of all of them', () => {
  fc.assert(
    fc.property(carried, (given) => {
      const { receipts, settled } = settleCarried(given)
      for (const { worker, subnet: name, msat } of settled.compute) {
        const own = receipts.filter((one) => one.worker === worker && one.subnet === name)
        expect(msat).toBeLessThanOrEqual(own.reduce((sum, { rewardMsat }) => sum + rewardMsat, 0n))
      }
    }),
  )
})

test('work that is settled in its own epoch and within the offer earns exactly what was expected, whatever others do', () => {
  fc.assert(
    fc.property(carried, (given) => {
      const offers = new Map<string, number>()
      const work = given.work
        .map((one) => ({ ...one, epoch: LAST_EPOCH }))
        .filter(({ subnet: name, model }) => {
          const definition = given.epochs[LAST_EPOCH]?.subnets.find((one) => one.name === name)
          const key = `${name} ${model % (definition?.models.length ?? 1)}`
          offers.set(key, (offers.get(key) ?? 0) + 1)
          return (offers.get(key) ?? 0) <= (definition?.dataset?.perEpoch ?? 0)
        })
      const { receipts, settled } = settleCarried({ ...given, work })
      const expectedMsat = receipts.reduce((sum, { rewardMsat }) => sum + rewardMsat, 0n)
      expect(settled.compute.reduce((sum, { msat }) => sum + msat, 0n)).toBe(expectedMsat)
    }),
  )
})

test('a worker alone in a market of a thousand items earns a thousandth for each, not the whole', () => {
  const offer = subnet('thin', 1, 1_000, 7)
  const expected = openExpectedReward(
    { subnetsAt: () => [offer] },
    { booked: () => BOOKED_MSAT },
    { at: () => 0n },
    500,
  )
  const rewardMsat = expected({ subnet: 'thin', item: 0n, epoch: 0n, units: 7n })
  const { compute, returnedMsat } = settleEpoch({
    budgetMsat: BOOKED_MSAT,
    auditShareBasisPoints: 500,
    subnets: [
      {
        name: 'thin',
        weight: 1n,
        receipts: [
          {
            receipt: 'r',
            worker: 'alone',
            model: 'm',
            rewardMsat,
            share: throughput(),
            outcome: 'unsampled',
          },
        ],
      },
    ],
    audits: [],
  })
  expect(compute).toEqual([{ worker: 'alone', subnet: 'thin', model: 'm', msat: 9_500n }])
  expect(returnedMsat).toBe(BOOKED_MSAT - 9_500n)
})
