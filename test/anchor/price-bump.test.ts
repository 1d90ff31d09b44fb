import fc from 'fast-check'
import { expect, it } from 'vitest'
import { type BumpQuestion, priceBump } from '../../anchor/price-bump.ts'

const MARKET = {
  estimateSatPerKvb: null,
  mempoolMinSatPerKvb: 1_000n,
  relayMinSatPerKvb: 1_000n,
  incrementalSatPerKvb: 1_000n,
}
const LIMITS = { floorSatPerKvb: 2_000n, ceilingSatPerKvb: 100_000n, capSats: 50_000n }
const ALONE: BumpQuestion = {
  market: MARKET,
  limits: LIMITS,
  payment: { vsize: 200, feeSats: 400n, descendantFeeSats: 400n },
  child: null,
  childVsize: 111,
}

const rate = fc.bigInt(1_000n, 40_000n)
const QUESTIONS = fc
  .record({
    estimateSatPerKvb: fc.option(rate),
    mempoolMinSatPerKvb: rate,
    relayMinSatPerKvb: fc.bigInt(100n, 1_000n),
    incrementalSatPerKvb: fc.bigInt(100n, 1_000n),
    capSats: fc.bigInt(0n, 200_000n),
    vsize: fc.integer({ min: 111, max: 100_000 }),
    feeSats: fc.bigInt(111n, 100_000n),
    foreignSats: fc.bigInt(0n, 200_000n),
    childSats: fc.option(fc.bigInt(111n, 100_000n)),
  })
  .map(({ capSats, vsize, feeSats, foreignSats, childSats, ...market }): BumpQuestion => {
    const child = childSats === null ? null : { vsize: 111, feeSats: childSats }
    const descendantFeeSats = feeSats + foreignSats + (childSats ?? 0n)
    return {
      market,
      limits: { floorSatPerKvb: 1_000n, ceilingSatPerKvb: 50_000n, capSats },
      payment: { vsize, feeSats, descendantFeeSats },
      child,
      childVsize: 111,
    }
  })

it('replaces a payment that has no descendants, at the market’s price or what the relay rule asks', () => {
  expect(priceBump(ALONE).bumps[0]).toEqual({ kind: 'replacement', feeSats: 600n })
  const dear = { ...ALONE, market: { ...MARKET, estimateSatPerKvb: 20_000n } }
  expect(priceBump(dear).bumps[0]).toEqual({ kind: 'replacement', feeSats: 4_000n })
})

it('lets a child pay where a payee’s child of 100,000 sat pins the payment', () => {
  const pinned = { ...ALONE, payment: { ...ALONE.payment, descendantFeeSats: 100_400n } }
  // 1 sat/vB more for the 311 vB that both have together.
  expect(priceBump(pinned).bumps).toEqual([{ kind: 'child', feeSats: 311n }])
})

it('replaces its own child, and never gives up what it paid', () => {
  const pinned = { ...ALONE.payment, descendantFeeSats: 100_711n }
  const [bump] = priceBump({ ...ALONE, payment: pinned, child: { vsize: 111, feeSats: 311n } }).bumps
  expect(bump).toEqual({ kind: 'child', feeSats: 622n })
})

it('says what it would need where the limits allow nothing', () => {
  const limits = { ...LIMITS, capSats: 599n }
  expect(priceBump({ ...ALONE, limits })).toEqual({ bumps: [], neededSats: 600n })
})

it('pays strictly more by the relay rule, never over cap or ceiling, cheapest first, whatever is asked', () => {
  fc.assert(
    fc.property(QUESTIONS, (question) => {
      const { market, limits, payment, child } = question
      const { bumps, neededSats } = priceBump(question)
      const whole = payment.feeSats + (child?.feeSats ?? 0n)
      const totals = bumps.map(({ kind, feeSats }) =>
        kind === 'child' ? payment.feeSats + feeSats : feeSats,
      )
      for (const [i, total] of totals.entries()) {
        const isChild = bumps[i]?.kind === 'child'
        const vsize = BigInt(payment.vsize + (isChild ? 111 : 0))
        expect(total).toBeLessThanOrEqual(limits.capSats)
        expect(total * 1_000n).toBeLessThanOrEqual(limits.ceilingSatPerKvb * vsize)
        expect(total * 1_000n).toBeGreaterThanOrEqual(market.mempoolMinSatPerKvb * vsize)
        // BIP-125 rule 4 over what is replaced, and a better feerate than what was there.
        const [least, replacedVsize] = isChild
          ? [whole, BigInt(payment.vsize + (child?.vsize ?? 0))]
          : [payment.descendantFeeSats, BigInt(payment.vsize)]
        const ownVsize = isChild ? 111n : vsize
        expect((total - least) * 1_000n).toBeGreaterThanOrEqual(market.incrementalSatPerKvb * ownVsize)
        expect(total * replacedVsize).toBeGreaterThan(least * vsize)
        expect(total).toBeGreaterThan(whole)
      }
      expect(totals).toEqual(totals.toSorted((a, b) => (a < b ? -1 : 1)))
      if (bumps.length === 0) expect(neededSats).toBeGreaterThan(whole)
    }),
  )
})

it('asked again after its own answer, pays more each time until it stalls', () => {
  let { payment, child } = ALONE
  let paid = payment.feeSats
  for (;;) {
    const [bump] = priceBump({ ...ALONE, payment, child }).bumps
    if (bump === undefined) break
    const isChild = bump.kind === 'child'
    const total = isChild ? payment.feeSats + bump.feeSats : bump.feeSats
    expect(total).toBeGreaterThan(paid)
    paid = total
    child = isChild ? { vsize: 111, feeSats: bump.feeSats } : null
    const own = isChild ? payment.feeSats : bump.feeSats
    payment = { vsize: 200, feeSats: own, descendantFeeSats: total }
  }
  expect(paid).toBeGreaterThan(19_000n)
})
