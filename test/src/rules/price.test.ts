import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  chargeMsat,
  EPOCHS_IN_SIGHT,
  MAX_PRICE_MSAT,
  MIN_PRICE_MSAT,
  nextPriceMsat,
  priceInForce,
} from '../../../src/rules/price.ts'

const PETA = 10n ** 15n
const quote = (epoch: number, msat: bigint, entry: number) => ({ epoch, msat, entry })
const demand = (askedUnits: bigint, answeredUnits: bigint) => ({ askedUnits, answeredUnits })
const amounts = fc.bigInt(0n, 10n ** 20n)
const prices = fc.bigInt(MIN_PRICE_MSAT, MAX_PRICE_MSAT)

describe('a charge', () => {
  test.each([
    [0n, PETA, 0n],
    [7n, 0n, 0n],
    [7n, PETA, 7n],
    // A small model: 670,000 units for one row, at the price of a rented GPU.
    [670_000n, 10_000n, 1n],
    [PETA, 10_000n, 10_000n],
    [PETA + 1n, 10_000n, 10_001n],
  ])('of %d units at %d msat per 10^15 is %d msat', (units, price, msat) => {
    expect(chargeMsat(units, price)).toBe(msat)
  })

  test('is never below the price, nor 1 msat above it, and more work never costs less', () => {
    fc.assert(
      fc.property(amounts, amounts, prices, (units, more, price) => {
        const msat = chargeMsat(units, price)
        expect(msat * PETA).toBeGreaterThanOrEqual(units * price)
        expect((msat - 1n) * PETA).toBeLessThan(units * price)
        expect(chargeMsat(units + more, price)).toBeGreaterThanOrEqual(msat)
      }),
    )
  })
})

describe('the price in force', () => {
  const quotes = [quote(0, 1_000n, 3), quote(1, 2_000n, 10), quote(2, 3_000n, 20)]
  test.each<[string, number, number, bigint]>([
    ['is the quote for the epoch, if it was anchored before', 1, 11, 2_000n],
    ['is the one before it, if it was not', 1, 10, 1_000n],
    ['never one for a later epoch', 1, 100, 2_000n],
    ['stays where none follows', 9, 100, 3_000n],
    ["is the definition's before the first", 0, 3, 7_000n],
  ])('%s', (_what, epoch, size, msat) => {
    expect(priceInForce(7_000n, quotes, epoch, size)).toBe(msat)
  })

  test('is none where the definition says that work is free, whatever was quoted', () => {
    expect(priceInForce(0n, quotes, 1, 100)).toBe(0n)
  })
})

describe('the next quote', () => {
  const next = (
    settled: { askedUnits: bigint; answeredUnits: bigint }[],
    fresh: number,
    unservedUnits = 0n,
  ) => nextPriceMsat({ priceMsat: 10_000n, settled, fresh, unservedUnits })

  test.each<[string, bigint, bigint]>([
    ['stays where nothing was settled since', next([demand(5n, 1n)], 0), 10_000n],
    ['stays where what was asked was answered', next([demand(100n, 100n)], 1), 10_000n],
    ['stays where nothing was asked or answered', next([demand(0n, 0n)], 1), 10_000n],
    ['rises by what was turned away', next([demand(100n, 100n)], 1, 10n), 11_000n],
    ['rises by a quarter at most', next([demand(100n, 100n)], 1, 100n), 12_500n],
    ['rises by a quarter where nobody answers', next([demand(0n, 0n)], 1, 1n), 12_500n],
    ['falls with demand', next([demand(90n, 100n)], 1), 9_000n],
    ['falls by a quarter at most', next([demand(0n, 100n)], 1), 7_500n],
    [
      'falls while workers have shown that they can do more',
      next([demand(100n, 100n), demand(80n, 80n)], 1),
      8_000n,
    ],
    ['takes several epochs together', next([demand(90n, 100n), demand(100n, 100n)], 2), 9_500n],
  ])('%s', (_what, msat, expected) => {
    expect(msat).toBe(expected)
  })

  test('is never 0, and never so small that it could not move', () => {
    const fall = { settled: [demand(0n, 1n)], fresh: 1, unservedUnits: 0n }
    expect(nextPriceMsat({ priceMsat: MIN_PRICE_MSAT, ...fall })).toBe(MIN_PRICE_MSAT)
    expect(nextPriceMsat({ priceMsat: MIN_PRICE_MSAT + 1n, ...fall })).toBe(MIN_PRICE_MSAT)
  })

  test('stays within a quarter of the last one and within its limits', () => {
    const settled = fc.array(fc.record({ askedUnits: amounts, answeredUnits: amounts }), {
      minLength: 1,
      maxLength: EPOCHS_IN_SIGHT,
    })
    fc.assert(
      fc.property(prices, settled, fc.nat(), amounts, (priceMsat, epochs, chance, unservedUnits) => {
        const fresh = chance % (epochs.length + 1)
        const msat = nextPriceMsat({ priceMsat, settled: epochs, fresh, unservedUnits })
        expect(msat).toBeGreaterThanOrEqual(MIN_PRICE_MSAT)
        expect(msat).toBeLessThanOrEqual(MAX_PRICE_MSAT)
        expect(4n * msat).toBeLessThanOrEqual(5n * priceMsat)
        if (msat > MIN_PRICE_MSAT) expect(4n * msat).toBeGreaterThanOrEqual(3n * priceMsat)
      }),
    )
  })

  test('never falls where more is asked', () => {
    fc.assert(
      fc.property(prices, amounts, amounts, amounts, (priceMsat, asked, more, answered) => {
        const at = (units: bigint) =>
          nextPriceMsat({ priceMsat, settled: [demand(units, answered)], fresh: 1, unservedUnits: 0n })
        expect(at(asked + more)).toBeGreaterThanOrEqual(at(asked))
      }),
    )
  })
})
