/** Kinds of configuration values. Integers come as TOML integers, as numbers, or as text from the environment and flags. */
import { z } from 'zod'
import { NoteError } from '../log/note-error.ts'
import { parseWitness } from '../monitor/parse-witness.ts'

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

/** Each is asked after every round, all at once. */
const MAX_LISTED = 16

/** A TOML array; in the environment and in flags with commas between. */
export const listOf = <T extends z.ZodType<string>>(item: T) =>
  z.preprocess(
    (value) => (typeof value === 'string' ? value.split(',').filter((part) => part !== '') : value),
    z.array(item).max(MAX_LISTED),
  )

export const witness = text.superRefine((line, context) => {
  try {
    parseWitness(line)
  } catch (error) {
    if (!(error instanceof NoteError)) throw error
    context.addIssue({ code: 'custom', message: error.message })
  }
})
