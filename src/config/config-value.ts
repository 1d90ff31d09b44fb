/** Kinds of configuration values. Integers come as TOML integers, as numbers, or as text from the environment and flags. */
import { z } from 'zod'

/** TOML's and SQLite's integers end here. */
const MAX_MONEY = 2n ** 63n - 1n

function wholeNumber(value: unknown): bigint | null {
  if (typeof value === 'bigint') return value
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : null
  return typeof value === 'string' && /^(0|[1-9]\d{0,18})$/.test(value) ? BigInt(value) : null
}

function wholeBetween(min: bigint, max: bigint) {
  return z.unknown().transform((value, context) => {
    const whole = wholeNumber(value)
    if (whole !== null && whole >= min && whole <= max) return whole
    context.addIssue({ code: 'custom', message: `expected a whole number from ${min} to ${max}` })
    return z.NEVER
  })
}

export const integer = (min: number, max: number) => wholeBetween(BigInt(min), BigInt(max)).transform(Number)

/** Satoshis or millisatoshis. */
export const money = (min = 0n) => wholeBetween(min, MAX_MONEY)

export const text = z.string().min(1).max(1_024)

export const httpUrl = z.url({ protocol: /^https?$/ }).max(1_024)
