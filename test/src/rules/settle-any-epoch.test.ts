import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  type EpochWork,
  MAX_AUDIT_SHARE_BASIS_POINTS,
  type ReceiptOutcome,
  type SettlementReceipt,
  settleEpoch,
} from '../../../src/rules/settle-epoch.ts'
import { receipt } from './settlement-receipt.ts'

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
        model: fc.constantFrom('m1', 'm2'),
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

test('only workers with a paid receipt of that model are paid, each once, and every receipt has a reason', () => {
  fc.assert(
    fc.property(works, (work) => {
      const settled = settleEpoch(work)
      const paid = settled.compute.map(({ worker, subnet, model }) => `${subnet}/${worker}/${model}`)
      expect(new Set(paid).size).toBe(paid.length)
      const entitled = work.subnets.flatMap(({ name, receipts }) =>
        receipts
          .filter(({ outcome, rewardMsat }) => PAID.includes(outcome) && rewardMsat > 0n)
          .map((r) => `${name}/${r.worker}/${r.model}`),
      )
      expect(entitled).toEqual(expect.arrayContaining(paid))
      const listed = [...new Set(settled.compute.map(({ worker, subnet }) => `${subnet}/${worker}`))]
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
