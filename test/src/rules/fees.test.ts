import fc from 'fast-check'
import { expect, test } from 'vitest'
import { demandOf, feesOf, splitCharge } from '../../../src/rules/fees.ts'
import type { ReceiptOutcome } from '../../../src/rules/settle-epoch.ts'

test('a charge is split to the msat, and the operator has its share but for what is less than one', () => {
  fc.assert(
    fc.property(fc.bigInt(0n, 2n ** 63n - 1n), fc.integer({ min: 0, max: 10_000 }), (charge, basisPoints) => {
      const { msat, shareMsat } = splitCharge(charge, basisPoints)
      expect(msat + shareMsat).toBe(charge)
      expect(shareMsat * 10_000n).toBeLessThanOrEqual(charge * BigInt(basisPoints))
      expect((shareMsat + 1n) * 10_000n).toBeGreaterThan(charge * BigInt(basisPoints))
      expect(msat).toBeGreaterThanOrEqual(0n)
    }),
  )
})

test('the operator may have nothing or all of it, never less or more', () => {
  expect(splitCharge(999n, 0)).toEqual({ msat: 999n, shareMsat: 0n })
  expect(splitCharge(999n, 10_000)).toEqual({ msat: 0n, shareMsat: 999n })
  for (const basisPoints of [-1, 10_001]) expect(() => splitCharge(999n, basisPoints)).toThrow('a share')
})

const OUTCOMES: ReceiptOutcome[] = [
  'bought',
  'refunded',
  'unassigned',
  'fail',
  'inconclusive',
  'pass',
  'repeated',
]

test('exactly what was bought is paid, each once, to whose receipt it is', () => {
  const receipt = fc.record({
    receipt: fc.stringMatching(/^[0-9a-f]{8}$/),
    subnet: fc.constantFrom('s', 't'),
    model: fc.constantFrom('m', 'n'),
    worker: fc.constantFrom('ann', 'bob'),
    outcome: fc.constantFrom(...OUTCOMES),
    requester: fc.constantFrom('acme', 'umbrella'),
    chargeMsat: fc.bigInt(1n, 10n ** 12n),
    operatorBasisPoints: fc.integer({ min: 0, max: 10_000 }),
  })
  const receipts = fc.uniqueArray(receipt, { selector: (one) => one.receipt, maxLength: 30 })
  fc.assert(
    fc.property(receipts, (list) => {
      const fees = feesOf(list)
      const bought = list.filter(({ outcome }) => outcome === 'bought')
      expect(fees.map((fee) => fee.receipt)).toEqual(bought.map((one) => one.receipt).sort())
      for (const { receipt: id, model, worker, requester, msat, shareMsat } of fees) {
        const own = bought.find((one) => one.receipt === id)
        expect({ model, worker, requester }).toEqual({
          model: own?.model,
          worker: own?.worker,
          requester: own?.requester,
        })
        expect(msat + shareMsat).toBe(own?.chargeMsat)
      }
      expect(feesOf(list.toReversed())).toEqual(fees)
    }),
  )
})

test('what was bought by nobody is a bug', () => {
  const receipt = {
    receipt: 'r',
    subnet: 's',
    model: 'm',
    worker: 'w',
    requester: null,
    chargeMsat: 1n,
    operatorBasisPoints: 0,
  }
  expect(() => feesOf([{ ...receipt, outcome: 'bought' }])).toThrow('has a buyer')
})

test('demand is what requesters asked, supply what was answered and not refuted, in every subnet in force', () => {
  const of = (subnet: string, units: bigint, outcome: ReceiptOutcome, requester: string | null) => ({
    subnet,
    units,
    outcome,
    requester,
  })
  const receipts = [
    of('a', 1n, 'bought', 'acme'),
    of('a', 10n, 'fail', 'acme'),
    of('a', 100n, 'inconclusive', 'acme'),
    of('a', 1_000n, 'refunded', 'acme'),
    of('a', 10_000n, 'pass', null),
    of('a', 100_000n, 'fail', null),
    of('gone', 1n, 'bought', 'acme'),
  ]
  expect(demandOf(['a', 'b'], receipts)).toEqual(
    new Map([
      ['a', { askedUnits: 1_111n, answeredUnits: 11_001n }],
      ['b', { askedUnits: 0n, answeredUnits: 0n }],
    ]),
  )
})
