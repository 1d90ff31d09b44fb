import assert from 'node:assert/strict'
import type { Ratio } from './sampling.ts'

/** p1: the smallest share of failing audits that counts as cheating. */
const CHEAT_FAIL_RATE: Ratio = { numerator: 1n, denominator: 10n }

/** From half of p1 on, honest and cheating workers can't be told apart in time: such a model has to be calibrated again. */
export const MAX_FALSE_FAIL_RATE: Ratio = { numerator: 1n, denominator: 20n }

/** Nats are counted in units of 2^-32. */
export const NAT_BITS = 32n

/** Logarithms are computed with 64 bits more than are kept. */
const LOG_BITS = 96n
const LOG_ONE = 1n << LOG_BITS

/** What one audit says for or against "this worker cheats", in 2^-32 nats, each rounded down. Both positive. */
export interface Evidence {
  /** A pass takes this away: ln((1 − p0) / (1 − p1)). */
  pass: bigint
  /** A fail adds this: ln(p1 / p0). */
  fail: bigint
}

/**
 * Log-likelihood ratios of Wald's sequential test between p0, the rate at which a model fails honest work, and p1. In integers
 * throughout: Math.log may differ between machines in its last bit, and a suspension must not. 0 < p0 ≤ 1/20.
 */
export function evidenceOf(p0: Ratio): Evidence {
  const p1 = CHEAT_FAIL_RATE
  const { numerator, denominator } = MAX_FALSE_FAIL_RATE
  assert(p0.numerator > 0n && p0.denominator > 0n, 'p0 is above 0')
  assert(p0.numerator * denominator <= numerator * p0.denominator, 'p0 is at most 1/20')
  const pass = logarithm(
    (p0.denominator - p0.numerator) * p1.denominator,
    (p1.denominator - p1.numerator) * p0.denominator,
  )
  const fail = logarithm(p1.numerator * p0.denominator, p1.denominator * p0.numerator)
  return { pass: pass >> (LOG_BITS - NAT_BITS), fail: fail >> (LOG_BITS - NAT_BITS) }
}

/** ln(numerator / denominator) for a quotient of at least 1, in 2^-96: ln(2^k · m) = k · ln 2 + ln m with 1 ≤ m < 2. */
function logarithm(numerator: bigint, denominator: bigint): bigint {
  let mantissa = (numerator << LOG_BITS) / denominator
  let doublings = 0n
  while (mantissa >= 2n * LOG_ONE) {
    mantissa >>= 1n
    doublings += 1n
  }
  return doublings * logarithmOfMantissa(2n * LOG_ONE) + logarithmOfMantissa(mantissa)
}

/** ln m = 2 · artanh((m − 1) / (m + 1)), whose series gains three bits a term up to m = 2. */
function logarithmOfMantissa(mantissa: bigint): bigint {
  const z = ((mantissa - LOG_ONE) << LOG_BITS) / (mantissa + LOG_ONE)
  const square = (z * z) >> LOG_BITS
  let sum = 0n
  for (let power = z, odd = 1n; power > 0n; power = (power * square) >> LOG_BITS, odd += 2n) {
    sum += power / odd
  }
  return 2n * sum
}
