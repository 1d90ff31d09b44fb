import fc from 'fast-check'
import { expect, test } from 'vitest'
import { evidenceOf } from '../../../src/rules/cusum-evidence.ts'

const NAT = 2 ** 32

test.each([
  // ln(997/900) = 0.102356006637525… and ln(100/3) = 3.506557897319982…, times 2^32, rounded down.
  ['0.3 %', 3n, 1_000n, 439_615_701n, 15_060_551_490n],
  // ln 1.1 = 0.095310179804325… and ln 10 = 2.302585092994046…
  ['1 %', 1n, 100n, 409_354_105n, 9_889_527_670n],
  // ln(19/18) and ln 2 = 0.693147180559945…
  ['5 %, the most', 1n, 20n, 232_216_947n, 2_977_044_471n],
])('a p0 of %s has the evidence that a calculator gives', (_, numerator, denominator, pass, fail) => {
  expect(evidenceOf({ numerator, denominator })).toEqual({ pass, fail })
})

test('agrees with floating-point logarithms over ten orders of magnitude', () => {
  fc.assert(
    fc.property(fc.bigInt(1n, 10n ** 11n), (numerator) => {
      const denominator = 20n * 10n ** 11n
      const p0 = Number(numerator) / Number(denominator)
      const { pass, fail } = evidenceOf({ numerator, denominator })
      expect(Number(pass) / NAT).toBeCloseTo(Math.log1p(-p0) - Math.log(0.9), 9)
      expect(Number(fail) / NAT).toBeCloseTo(Math.log(0.1) - Math.log(p0), 9)
    }),
  )
})

test('equal fractions weigh the same, however they are written', () => {
  fc.assert(
    fc.property(fc.bigInt(1n, 50n), fc.bigInt(1n, 10n ** 30n), (numerator, factor) => {
      const written = { numerator: numerator * factor, denominator: 1_000n * factor }
      expect(evidenceOf(written)).toEqual(evidenceOf({ numerator, denominator: 1_000n }))
    }),
  )
})

test('the rarer honest fails are, the more a fail says', () => {
  fc.assert(
    fc.property(fc.bigInt(1n, 49_999n), (numerator) => {
      const rarer = evidenceOf({ numerator, denominator: 1_000_000n })
      const commoner = evidenceOf({ numerator: numerator + 1n, denominator: 1_000_000n })
      expect(rarer.fail > commoner.fail).toBe(true)
      expect(rarer.pass > commoner.pass).toBe(true)
    }),
  )
})

test.each([
  ['0', 0n, 1n, 'above 0'],
  ['a hair above 1/20', 50_001n, 1_000_000n, 'at most 1/20'],
  ['below 0', -1n, 100n, 'above 0'],
  ['over nothing', 1n, 0n, 'above 0'],
])('a p0 of %s is a bug', (_, numerator, denominator, message) => {
  expect(() => evidenceOf({ numerator, denominator })).toThrow(message)
})
