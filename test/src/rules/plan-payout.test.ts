import fc from 'fast-check'
import { expect, test } from 'vitest'
import { requesterAccount } from '../../../src/ledger/accounts.ts'
import { type PayoutCandidate, type PayoutLimits, planPayout } from '../../../src/rules/plan-payout.ts'

const LIMITS: PayoutLimits = {
  thresholdSats: 1_000n,
  payeeCapSats: 5_000n,
  runCapSats: 12_000n,
  dayLeftSats: 100_000n,
  maxPayees: 10,
}

function candidate(number: number, matured: bigint, changes: Partial<PayoutCandidate> = {}): PayoutCandidate {
  return {
    account: requesterAccount(`${number}`),
    address: `address ${number}`,
    payableMsat: matured * 1_000n + 999n,
    thresholdSats: 0n,
    dustSats: 330n,
    isQuarantined: false,
    ...changes,
  }
}

const numberOf = (account: string) => Number(account.split('/')[1])
const short = (plan: ReturnType<typeof planPayout>) => ({
  payees: plan.payees.map(({ account, sats }) => [numberOf(account), sats]),
  held: plan.held.map(({ account, sats, reason }) => [numberOf(account), sats, reason]),
})

test('pays whole satoshis to everyone above the threshold, and each one’s own wish is heard', () => {
  const plan = planPayout(
    [
      candidate(1, 1_000n),
      candidate(2, 999n),
      candidate(3, 3_000n, { thresholdSats: 3_001n }),
      candidate(4, 3_001n, { thresholdSats: 3_001n }),
      candidate(5, 0n),
    ],
    LIMITS,
  )
  expect(short(plan)).toEqual({
    payees: [
      [1, 1_000n],
      [4, 3_001n],
    ],
    held: [
      [2, 999n, 'below_threshold'],
      [3, 3_000n, 'below_threshold'],
    ],
  })
})

test('a bad address, dust or a quarantined account holds back its own worker alone', () => {
  const plan = planPayout(
    [
      candidate(1, 2_000n, { dustSats: null }),
      candidate(2, 2_000n, { isQuarantined: true }),
      candidate(3, 1_000n, { dustSats: 1_001n }),
      candidate(4, 2_000n),
    ],
    LIMITS,
  )
  expect(short(plan)).toEqual({
    payees: [[4, 2_000n]],
    held: [
      [1, 2_000n, 'address_unpayable'],
      [2, 2_000n, 'quarantined'],
      [3, 1_000n, 'below_dust'],
    ],
  })
})

test('who can be paid exactly the least of its address is paid', () => {
  expect(short(planPayout([candidate(1, 1_000n, { dustSats: 1_000n })], LIMITS)).payees).toEqual([
    [1, 1_000n],
  ])
})

test.each([{ runCapSats: 10_000n }, { dayLeftSats: 10_000n }])('a cap of %o is paid out whole', (changes) => {
  const plan = planPayout([candidate(1, 5_000n), candidate(2, 5_000n)], { ...LIMITS, ...changes })
  expect(plan.payees.length).toBe(2)
})

test('who is held back for its own reason takes no place from those behind it', () => {
  const held = candidate(2, 5_000n, { isQuarantined: true })
  const plan = planPayout([candidate(1, 5_000n), held, candidate(3, 4_000n)], {
    ...LIMITS,
    runCapSats: 9_000n,
  })
  expect(short(plan)).toEqual({
    payees: [
      [1, 5_000n],
      [3, 4_000n],
    ],
    held: [[2, 5_000n, 'quarantined']],
  })
})

test('one payee gets no more than its cap at a time, though its wish is above that', () => {
  expect(short(planPayout([candidate(1, 9_000n, { thresholdSats: 8_000n })], LIMITS)).payees).toEqual([
    [1, 5_000n],
  ])
})

test.each([
  ['run_cap', {}],
  ['day_cap', { runCapSats: 100_000n, dayLeftSats: 12_000n }],
  ['payees_full', { runCapSats: 100_000n, maxPayees: 2 }],
] as const)('from the first that does not fit on, all wait for the next payout: %s', (reason, changes) => {
  const candidates = [candidate(1, 5_000n), candidate(2, 5_000n), candidate(3, 5_000n), candidate(4, 1_000n)]
  expect(short(planPayout(candidates, { ...LIMITS, ...changes }))).toEqual({
    payees: [
      [1, 5_000n],
      [2, 5_000n],
    ],
    held: [
      [3, 5_000n, reason],
      [4, 1_000n, reason],
    ],
  })
})

test('nobody is forgotten, nobody twice, and no limit is ever passed', () => {
  const amounts = fc.bigInt(0n, 10_000n)
  const candidates = fc.array(
    fc.record({
      matured: amounts,
      thresholdSats: amounts,
      dustSats: fc.option(fc.bigInt(294n, 546n)),
      isQuarantined: fc.boolean(),
    }),
    { maxLength: 40 },
  )
  const limits = fc.record({
    thresholdSats: fc.bigInt(1n, 2_000n),
    payeeCapSats: fc.bigInt(1n, 6_000n),
    runCapSats: fc.bigInt(0n, 40_000n),
    dayLeftSats: fc.bigInt(0n, 40_000n),
    maxPayees: fc.integer({ min: 0, max: 20 }),
  })
  fc.assert(
    fc.property(candidates, limits, (given, bounds) => {
      const all = given.map(({ matured, ...rest }, i) => candidate(i, matured, rest))
      const { payees, held } = planPayout(all, bounds)
      const named = [...payees, ...held].map(({ account }) => account)
      const owed = all.filter(({ payableMsat }) => payableMsat >= 1_000n).map(({ account }) => account)
      expect(named.toSorted()).toEqual(owed.toSorted())
      const total = payees.reduce((sum, { sats }) => sum + sats, 0n)
      expect(total).toBeLessThanOrEqual(bounds.runCapSats)
      expect(total).toBeLessThanOrEqual(bounds.dayLeftSats)
      expect(payees.length).toBeLessThanOrEqual(bounds.maxPayees)
      for (const { account, sats } of payees) {
        const { payableMsat, dustSats, isQuarantined } = all[numberOf(account)] ?? candidate(0, 0n)
        expect(sats * 1_000n).toBeLessThanOrEqual(payableMsat)
        expect(sats).toBeLessThanOrEqual(bounds.payeeCapSats)
        expect(dustSats !== null && sats >= dustSats && !isQuarantined).toBe(true)
      }
    }),
  )
})
