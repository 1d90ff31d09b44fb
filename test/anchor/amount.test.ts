import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AmountError, formatBtcAmount, MAX_MONEY_SATS, parseBtcAmount } from '../../anchor/amount.ts'

describe('parseBtcAmount', () => {
  it.each([
    [0, 0n],
    ['0', 0n],
    [0.00000001, 1n], // JavaScript prints it as 1e-8
    ['0.00000001', 1n],
    [1.5e-7, 15n],
    ['1e-8', 1n],
    [0.1, 10_000_000n], // 0.1 * 1e8 would do, but
    [0.29, 29_000_000n], // 0.29 * 1e8 is 28999999.999999996
    [1, 100_000_000n],
    [50, 5_000_000_000n],
    ['1234567.12345678', 123_456_712_345_678n],
    [1234567.1234567, 123_456_712_345_670n],
    ['20999999.97690000', 2_099_999_997_690_000n],
    [21_000_000, MAX_MONEY_SATS],
    ['21000000.00000000', MAX_MONEY_SATS],
    ['1e2', 10_000_000_000n],
  ])('reads %o as %o sat', (value, sats) => {
    expect(parseBtcAmount(value)).toBe(sats)
  })

  it.each([
    [Number.NaN],
    [Number.POSITIVE_INFINITY],
    [-1],
    [-1e-8],
    ['-0.00000001'],
    [1e-9],
    ['0.000000001'],
    ['21000000.00000001'],
    [21_000_001],
    ['1e99'],
    [''],
    [' 1'],
    ['1 '],
    ['+1'],
    ['.5'],
    ['5.'],
    ['1,5'],
    ['0x10'],
    ['1n'],
    ['1'.repeat(33)],
    [null],
    [undefined],
    [{}],
    [true],
    [1n],
  ])('refuses %o', (value) => {
    expect(() => parseBtcAmount(value)).toThrow(AmountError)
  })

  it('gives back every amount that was formatted, as string and as the number that JSON makes of it', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: MAX_MONEY_SATS }), (sats) => {
        const text = formatBtcAmount(sats)
        expect(parseBtcAmount(text)).toBe(sats)
        expect(parseBtcAmount(Number(text))).toBe(sats)
      }),
    )
  })
})

describe('formatBtcAmount', () => {
  it.each([
    [0n, '0.00000000'],
    [1n, '0.00000001'],
    [100_000_000n, '1.00000000'],
    [123_456_712_345_678n, '1234567.12345678'],
    [MAX_MONEY_SATS, '21000000.00000000'],
  ])('writes %o sat as %s', (sats, text) => {
    expect(formatBtcAmount(sats)).toBe(text)
  })

  it.each([[-1n], [MAX_MONEY_SATS + 1n]])('asserts that %o sat is an amount', (sats) => {
    expect(() => formatBtcAmount(sats)).toThrow('out of range')
  })
})
