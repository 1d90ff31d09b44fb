import { expect, test } from 'vitest'
import { type EpochWork, settleEpoch } from '../../../src/rules/settle-epoch.ts'
import { receipt } from './settlement-receipt.ts'

test('an epoch pays the right people and gives each receipt its reason', () => {
  const settled = settleEpoch({
    budgetMsat: 1_000_000n,
    auditShareBasisPoints: 500,
    subnets: [
      {
        name: 'vision',
        weight: 3n,
        receipts: [
          receipt('r1', 'alice', 203_572n),
          receipt('r2', 'bob', 407_144n, 'unsampled'),
          receipt('r3', 'alice', 101_786n, 'operator_missed'),
          receipt('r4', 'mallory', 20_357_200n, 'fail'),
          receipt('r5', 'bob', 183_214n, 'inconclusive'),
          receipt('r6', 'carol', 0n),
        ],
      },
      { name: 'audio', weight: 1n, receipts: [receipt('r7', 'bob', 20_000n, 'suspended')] },
      { name: 'free', weight: 0n, receipts: [receipt('r8', 'bob', 20_000n)] },
    ],
    audits: [
      { auditor: 'dave', units: 1n },
      { auditor: 'erin', units: 2n },
      { auditor: 'dave', units: 1n },
      { auditor: 'frank', units: 0n },
    ],
  })
  // 950,000 to compute: 712,500 to vision, 2 less than expected, of which alice has three of seven parts. Audits: 5/95 of the 712,499 paid.
  expect(settled.compute).toEqual([
    { worker: 'alice', subnet: 'vision', model: 'm', msat: 305_357n },
    { worker: 'bob', subnet: 'vision', model: 'm', msat: 407_142n },
  ])
  expect(settled.audit).toEqual([
    { auditor: 'dave', msat: 18_749n },
    { auditor: 'erin', msat: 18_749n },
  ])
  expect(settled.returnedMsat).toBe(1_000_000n - 305_357n - 407_142n - 2n * 18_749n)
  expect(settled.receipts).toEqual([
    { receipt: 'r1', reason: 'earned' },
    { receipt: 'r2', reason: 'earned' },
    { receipt: 'r3', reason: 'earned' },
    { receipt: 'r4', reason: 'fail' },
    { receipt: 'r5', reason: 'inconclusive' },
    { receipt: 'r6', reason: 'below_one_msat' },
    { receipt: 'r7', reason: 'suspended' },
    { receipt: 'r8', reason: 'no_budget' },
  ])
})

test('a share below 1 msat is no pay, and says so', () => {
  const settled = settleEpoch({
    budgetMsat: 10n,
    auditShareBasisPoints: 0,
    subnets: [{ name: 's', weight: 1n, receipts: [receipt('r1', 'small', 1n), receipt('r2', 'big', 999n)] }],
    audits: [],
  })
  expect(settled.compute).toEqual([{ worker: 'big', subnet: 's', model: 'm', msat: 9n }])
  expect(settled.receipts).toEqual([
    { receipt: 'r1', reason: 'below_one_msat' },
    { receipt: 'r2', reason: 'earned' },
  ])
  expect(settled.returnedMsat).toBe(1n)
})

test('where little was answered of what was offered, each receipt earns what was expected of it, and the rest returns', () => {
  // A pool of 950,000 over an offer of 1,000 units.
  const settled = settleEpoch({
    budgetMsat: 1_000_000n,
    auditShareBasisPoints: 500,
    subnets: [
      {
        name: 's',
        weight: 1n,
        receipts: [
          receipt('r1', 'alice', 950n, 'unsampled'),
          receipt('r2', 'bob', 1_900n),
          receipt('r3', 'mallory', 950n, 'fail'),
        ],
      },
    ],
    audits: [{ auditor: 'dave', units: 2n }],
  })
  expect(settled.compute).toEqual([
    { worker: 'alice', subnet: 's', model: 'm', msat: 950n },
    { worker: 'bob', subnet: 's', model: 'm', msat: 1_900n },
  ])
  expect(settled.audit).toEqual([{ auditor: 'dave', msat: 150n }])
  expect(settled.returnedMsat).toBe(1_000_000n - 3_000n)
})

test('where more is expected than there is, as of work from epochs that paid better, all get proportionally less', () => {
  const settled = settleEpoch({
    budgetMsat: 1_000n,
    auditShareBasisPoints: 0,
    subnets: [
      {
        name: 's',
        weight: 1n,
        receipts: [receipt('old', 'alice', 1_500n), receipt('new', 'bob', 500n)],
      },
    ],
    audits: [],
  })
  expect(settled.compute).toEqual([
    { worker: 'alice', subnet: 's', model: 'm', msat: 750n },
    { worker: 'bob', subnet: 's', model: 'm', msat: 250n },
  ])
})

test('what a worker gets is divided among its models, to the msat, and is no less for it', () => {
  const settled = settleEpoch({
    budgetMsat: 10n,
    auditShareBasisPoints: 0,
    subnets: [
      {
        name: 's',
        weight: 1n,
        receipts: [
          { ...receipt('r1', 'w', 7n), model: 'b' },
          { ...receipt('r2', 'w', 7n), model: 'a' },
          { ...receipt('r3', 'v', 7n), model: 'a' },
        ],
      },
    ],
    audits: [],
  })
  expect(settled.compute).toEqual([
    { worker: 'v', subnet: 's', model: 'a', msat: 3n },
    { worker: 'w', subnet: 's', model: 'a', msat: 3n },
    { worker: 'w', subnet: 's', model: 'b', msat: 3n },
  ])
  const odd = [
    { ...receipt('r1', 'w', 7n), model: 'b' },
    { ...receipt('r2', 'w', 7n), model: 'a' },
  ]
  const subnets = [{ name: 's', weight: 1n, receipts: odd }]
  expect(settleEpoch({ budgetMsat: 5n, auditShareBasisPoints: 0, subnets, audits: [] }).compute).toEqual([
    { worker: 'w', subnet: 's', model: 'a', msat: 3n },
    { worker: 'w', subnet: 's', model: 'b', msat: 2n },
  ])
})

test('a receipt of which nothing was expected earns nothing, whatever the pool', () => {
  const free = receipt('free', 'w', 0n, 'unsampled')
  const settled = settleEpoch({
    budgetMsat: 1_000n,
    auditShareBasisPoints: 0,
    subnets: [{ name: 's', weight: 1n, receipts: [free, receipt('r', 'w', 7n)] }],
    audits: [],
  })
  expect(settled.compute).toEqual([{ worker: 'w', subnet: 's', model: 'm', msat: 7n }])
  expect(settled.receipts).toEqual([
    { receipt: 'free', reason: 'below_one_msat' },
    { receipt: 'r', reason: 'earned' },
  ])
})

test('rounding never pays more than the budget: audits get what was set aside, though their share of 38 would be 2', () => {
  const settled = settleEpoch({
    budgetMsat: 39n,
    auditShareBasisPoints: 500,
    subnets: [{ name: 's', weight: 1n, receipts: [receipt('r', 'w', 38n)] }],
    audits: [{ auditor: 'a', units: 1n }],
  })
  expect(settled).toMatchObject({
    compute: [{ msat: 38n }],
    audit: [{ msat: 1n }],
    returnedMsat: 0n,
  })
})

test('no one works, no one is paid: not even audits', () => {
  const settled = settleEpoch({
    budgetMsat: 1000n,
    auditShareBasisPoints: 500,
    subnets: [{ name: 's', weight: 1n, receipts: [receipt('r1', 'w', 5n, 'fail')] }],
    audits: [{ auditor: 'a', units: 5n }],
  })
  expect(settled).toMatchObject({ compute: [], audit: [], returnedMsat: 1000n })
})

test('an epoch without subnets returns its budget', () => {
  const settled = settleEpoch({ budgetMsat: 1000n, auditShareBasisPoints: 500, subnets: [], audits: [] })
  expect(settled).toEqual({ compute: [], audit: [], returnedMsat: 1000n, receipts: [] })
})

test('half a share earns half of what was expected, none earns nothing and says why, and the rest returns', () => {
  const share = (numerator: bigint) => ({ numerator, denominator: 1_000n })
  const settled = settleEpoch({
    budgetMsat: 10_000n,
    auditShareBasisPoints: 0,
    subnets: [
      {
        name: 's',
        weight: 1n,
        receipts: [
          { ...receipt('fast', 'alice', 1_001n), share: share(1_000n) },
          { ...receipt('slow', 'bob', 1_001n), share: share(500n) },
          { ...receipt('late', 'carol', 1_001n), share: share(0n) },
          { ...receipt('wrong', 'carol', 1_001n, 'fail'), share: share(0n) },
          { ...receipt('tiny', 'alice', 1n), share: share(999n) },
        ],
      },
    ],
    audits: [],
  })
  expect(settled.compute).toEqual([
    { worker: 'alice', subnet: 's', model: 'm', msat: 1_001n },
    { worker: 'bob', subnet: 's', model: 'm', msat: 500n },
  ])
  expect(settled.returnedMsat).toBe(10_000n - 1_501n)
  expect(settled.receipts).toEqual([
    { receipt: 'fast', reason: 'earned' },
    { receipt: 'late', reason: 'too_late' },
    { receipt: 'slow', reason: 'earned' },
    { receipt: 'tiny', reason: 'below_one_msat' },
    { receipt: 'wrong', reason: 'fail' },
  ])
})

test('malformed work is a bug', () => {
  const work: EpochWork = { budgetMsat: 1n, auditShareBasisPoints: 0, subnets: [], audits: [] }
  const subnet = { name: 's', weight: 1n, receipts: [receipt('r', 'w', 1n)] }
  expect(() => settleEpoch({ ...work, budgetMsat: -1n })).toThrow('budget')
  expect(() => settleEpoch({ ...work, auditShareBasisPoints: 501 })).toThrow('audit share')
  expect(() => settleEpoch({ ...work, auditShareBasisPoints: -1 })).toThrow('audit share')
  expect(() => settleEpoch({ ...work, subnets: [subnet, { ...subnet, name: 't' }] })).toThrow(
    'receipt is listed twice',
  )
  expect(() => settleEpoch({ ...work, subnets: [subnet, { ...subnet, receipts: [] }] })).toThrow(
    's is listed twice',
  )
  expect(() =>
    settleEpoch({ ...work, subnets: [{ ...subnet, receipts: [receipt('r', 'w', -1n)] }] }),
  ).toThrow('negative')
})
