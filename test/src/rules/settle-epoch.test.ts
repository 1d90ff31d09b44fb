import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  type EpochWork,
  MAX_AUDIT_SHARE_BASIS_POINTS,
  type ReceiptOutcome,
  type SettlementReceipt,
  settleEpoch,
} from '../../../src/rules/settle-epoch.ts'

const WHOLE = { numerator: 1n, denominator: 1n }
const PAID: ReceiptOutcome[] = ['pass', 'unsampled', 'operator_missed']
const UNPAID: ReceiptOutcome[] = ['fail', 'inconclusive', 'unassigned', 'repeated', 'suspended']

const shares = fc
  .tuple(fc.bigInt({ min: 0n, max: 1_000n }), fc.bigInt({ min: 1n, max: 1_000n }))
  .map(([a, b]) => (a > b ? { numerator: b, denominator: a } : { numerator: a, denominator: b }))

const works: fc.Arbitrary<EpochWork> = fc
  .record({
    budgetMsat: fc.oneof(fc.bigInt({ min: 0n, max: 200n }), fc.bigInt({ min: 0n, max: 10n ** 15n })),
    auditShareBasisPoints: fc.integer({ min: 0, max: MAX_AUDIT_SHARE_BASIS_POINTS }),
    weights: fc.array(fc.bigInt({ min: 0n, max: 10n }), { minLength: 1, maxLength: 4 }),
    receipts: fc.array(
      fc.record({
        subnet: fc.nat(3),
        worker: fc.constantFrom('w1', 'w2', 'w3', 'w4', 'w5'),
        rewardMsat: fc.oneof(fc.bigInt({ min: 0n, max: 20n }), fc.bigInt({ min: 0n, max: 10n ** 15n })),
        outcome: fc.constantFrom(...PAID, ...PAID, ...UNPAID),
        share: shares,
      }),
      { maxLength: 30 },
    ),
    audits: fc.array(
      fc.record({ auditor: fc.constantFrom('a1', 'a2', 'a3'), units: fc.bigInt({ min: 0n, max: 100n }) }),
      { maxLength: 8 },
    ),
  })
  .map(({ budgetMsat, auditShareBasisPoints, weights, receipts, audits }) => ({
    budgetMsat,
    auditShareBasisPoints,
    audits,
    subnets: weights.map((weight, s) => ({
      name: `s${s}`,
      weight,
      receipts: receipts
        .map(({ subnet, ...rest }, r) => ({ subnet, receipt: { ...rest, receipt: `r${r}` } }))
        .filter(({ subnet }) => subnet % weights.length === s)
        .map(({ receipt }) => receipt),
    })),
  }))

function sum(parts: { msat: bigint }[]): bigint {
  return parts.reduce((total, { msat }) => total + msat, 0n)
}

function expectedOf(receipts: SettlementReceipt[]): bigint {
  return receipts.reduce(
    (total, { rewardMsat, share }) => total + (rewardMsat * share.numerator) / share.denominator,
    0n,
  )
}

function earnings(work: EpochWork, isMine: (worker: string) => boolean): bigint {
  return sum(settleEpoch(work).compute.filter(({ worker }) => isMine(worker)))
}

function receipt(
  id: string,
  worker: string,
  rewardMsat: bigint,
  outcome: ReceiptOutcome = 'pass',
): SettlementReceipt {
  return { receipt: id, worker, outcome, rewardMsat, share: WHOLE }
}

/** The first subnet's receipts changed, the others as they were. */
function inFirstSubnet(
  work: EpochWork,
  change: (receipts: SettlementReceipt[]) => SettlementReceipt[],
): EpochWork {
  return {
    ...work,
    subnets: work.subnets.map((subnet, s) =>
      s === 0 ? { ...subnet, receipts: change(subnet.receipts) } : subnet,
    ),
  }
}

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
    { worker: 'alice', subnet: 'vision', msat: 305_357n },
    { worker: 'bob', subnet: 'vision', msat: 407_142n },
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
  expect(settled.compute).toEqual([{ worker: 'big', subnet: 's', msat: 9n }])
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
    { worker: 'alice', subnet: 's', msat: 950n },
    { worker: 'bob', subnet: 's', msat: 1_900n },
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
    { worker: 'alice', subnet: 's', msat: 750n },
    { worker: 'bob', subnet: 's', msat: 250n },
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
  expect(settled.compute).toEqual([{ worker: 'w', subnet: 's', msat: 7n }])
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

test.each(UNPAID)('%s earns nothing, however much it claims', (outcome) => {
  fc.assert(
    fc.property(works, fc.bigInt({ min: 0n, max: 10n ** 12n }), (work, rewardMsat) => {
      const claimed = inFirstSubnet(work, (receipts) => [
        ...receipts,
        receipt('claim', 'mallory', rewardMsat, outcome),
      ])
      const settled = settleEpoch(claimed)
      expect(settled.compute).toEqual(settleEpoch(work).compute)
      expect(settled.receipts).toContainEqual({ receipt: 'claim', reason: outcome })
    }),
  )
})

test('what is paid and what is returned are the budget, and all parts are above zero', () => {
  fc.assert(
    fc.property(works, (work) => {
      const { compute, audit, returnedMsat } = settleEpoch(work)
      expect(sum(compute) + sum(audit) + returnedMsat).toBe(work.budgetMsat)
      expect(returnedMsat).toBeGreaterThanOrEqual(0n)
      expect([...compute, ...audit].every(({ msat }) => msat > 0n)).toBe(true)
    }),
  )
})

test('only workers with a paid receipt in that subnet are paid, each once, and every receipt has a reason', () => {
  fc.assert(
    fc.property(works, (work) => {
      const settled = settleEpoch(work)
      const listed = settled.compute.map(({ worker, subnet }) => `${subnet}/${worker}`)
      expect(new Set(listed).size).toBe(listed.length)
      const entitled = work.subnets.flatMap(({ name, receipts }) =>
        receipts
          .filter(({ outcome, rewardMsat }) => PAID.includes(outcome) && rewardMsat > 0n)
          .map((r) => `${name}/${r.worker}`),
      )
      expect(entitled).toEqual(expect.arrayContaining(listed))
      expect(settled.receipts.length).toBe(work.subnets.flatMap(({ receipts }) => receipts).length)
      const earned = settled.receipts.filter(({ reason }) => reason === 'earned').map(({ receipt: id }) => id)
      const all = work.subnets.flatMap((s) =>
        s.receipts.map((r) => ({ id: r.receipt, at: `${s.name}/${r.worker}` })),
      )
      expect(all.filter(({ id }) => earned.includes(id)).every(({ at }) => listed.includes(at))).toBe(true)
      expect(new Set(all.filter(({ id }) => earned.includes(id)).map(({ at }) => at)).size).toBe(
        listed.length,
      )
    }),
  )
})

test('at least 95 % of what is paid goes to those who computed, and no more than the share to audits', () => {
  fc.assert(
    fc.property(works, (work) => {
      const { compute, audit } = settleEpoch(work)
      expect(sum(compute) >= 19n * sum(audit)).toBe(true)
      const paid = sum(compute) + sum(audit)
      expect(sum(audit) * 10_000n <= paid * BigInt(work.auditShareBasisPoints)).toBe(true)
    }),
  )
})

test('nobody earns more in a subnet than was expected of its paid receipts there', () => {
  fc.assert(
    fc.property(works, (work) => {
      for (const { worker, subnet, msat } of settleEpoch(work).compute) {
        const receipts = work.subnets.find(({ name }) => name === subnet)?.receipts ?? []
        const own = receipts.filter((one) => one.worker === worker && PAID.includes(one.outcome))
        expect(msat).toBeLessThanOrEqual(expectedOf(own))
      }
    }),
  )
})

test('a subnet pays its pool or all that was expected, whichever is less: to rounding, less than 1 msat a payee, is lost', () => {
  const one = works.map((work) => ({
    ...work,
    auditShareBasisPoints: 0,
    subnets: work.subnets.slice(0, 1).map((subnet) => ({ ...subnet, weight: subnet.weight + 1n })),
  }))
  fc.assert(
    fc.property(one, (work) => {
      const paid = work.subnets.flatMap(({ receipts }) => receipts.filter((r) => PAID.includes(r.outcome)))
      const workers = new Set(paid.map(({ worker }) => worker))
      const expectedMsat = expectedOf(paid)
      const computed = sum(settleEpoch(work).compute)
      if (expectedMsat <= work.budgetMsat) expect(computed).toBe(expectedMsat)
      else expect(work.budgetMsat - computed).toBeLessThan(BigInt(workers.size))
    }),
  )
})

test('the order of subnets, receipts and audits plays no part', () => {
  fc.assert(
    fc.property(works, (work) => {
      const reversed = {
        ...work,
        audits: work.audits.toReversed(),
        subnets: work.subnets.map((s) => ({ ...s, receipts: s.receipts.toReversed() })).toReversed(),
      }
      expect(settleEpoch(reversed)).toEqual(settleEpoch(work))
    }),
  )
})

test('more verified work never earns less', () => {
  fc.assert(
    fc.property(works, fc.bigInt({ min: 0n, max: 10n ** 12n }), (work, rewardMsat) => {
      const added = receipt('more', 'w1', rewardMsat)
      const more = inFirstSubnet(work, (receipts) => [...receipts, added])
      const isMine = (worker: string) => worker === 'w1'
      expect(earnings(more, isMine)).toBeGreaterThanOrEqual(earnings(work, isMine))
    }),
  )
})

test('a greater share never earns its worker less', () => {
  fc.assert(
    fc.property(works, shares, shares, (work, a, b) => {
      const [low, high] = a.numerator * b.denominator <= b.numerator * a.denominator ? [a, b] : [b, a]
      const having = (share: typeof a) =>
        inFirstSubnet(work, (receipts) => [...receipts, { ...receipt('fast', 'w1', 10n ** 12n), share }])
      const isMine = (worker: string) => worker === 'w1'
      expect(earnings(having(high), isMine)).toBeGreaterThanOrEqual(earnings(having(low), isMine))
    }),
  )
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
    { worker: 'alice', subnet: 's', msat: 1_001n },
    { worker: 'bob', subnet: 's', msat: 500n },
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

test('splitting oneself into as many keys as one has receipts never gains a single msat', () => {
  fc.assert(
    fc.property(works, (work) => {
      const split = inFirstSubnet(work, (receipts) =>
        receipts.map((r) => (r.worker === 'w1' ? { ...r, worker: `w1/${r.receipt}` } : r)),
      )
      const isMine = (worker: string) => worker.startsWith('w1')
      expect(earnings(split, isMine)).toBeLessThanOrEqual(earnings(work, isMine))
    }),
  )
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
