import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decimal, decimalAtLeast, decimalValue } from '../../../compute/work/decimal.ts'

describe('decimalAtLeast', () => {
  test.each([
    [0, { digits: 0, scale: 0 }],
    [1, { digits: 1, scale: 0 }],
    [99, { digits: 99, scale: 0 }],
    [99.1, { digits: 100, scale: 0 }],
    [1234, { digits: 1300, scale: 0 }],
    [0.1, { digits: 1, scale: 1 }],
    [2 ** -17, { digits: 77, scale: 7 }],
    [2 ** -126, { digits: 12, scale: 39 }],
    [Number.MIN_VALUE, { digits: 49, scale: 325 }],
  ])('%d', (value, expected) => {
    expect(decimalAtLeast(value)).toEqual(expected)
  })

  test('is no less than the number, at most a tenth more, and a decimal of the format', () => {
    const numbers = fc.double({ min: 1e-300, max: 1e14, noNaN: true })
    fc.assert(
      fc.property(numbers, (value) => {
        const bound = decimalAtLeast(value)
        expect(decimal.parse(bound)).toEqual(bound)
        expect(decimalValue(bound)).toBeGreaterThanOrEqual(value)
        expect(decimalValue(bound)).toBeLessThanOrEqual(value * 1.1 + Number.MIN_VALUE)
        expect(decimalAtLeast(decimalValue(bound))).toEqual(bound)
      }),
    )
  })
})

test.each([
  ['a float', { digits: 0.5, scale: 0 }],
  ['a negative number', { digits: -1, scale: 0 }],
  ['a scale below every number', { digits: 1, scale: 331 }],
  ['a negative scale', { digits: 1, scale: -1 }],
  ['an exponent', { digits: 1, exponent: 3 }],
])('%s is no decimal', (_, value) => {
  expect(decimal.safeParse(value).success).toBe(false)
})
