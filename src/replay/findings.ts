import { AssertionError } from 'node:assert'

/** In the order of a report: what is recomputed, one rule for each kind of claim. */
const RULES = [
  'log',
  'anchors',
  'genesis',
  'succession',
  'workers',
  'auditors',
  'subnets',
  'requesters',
  'prices',
  'jobs',
  'refunds',
  'submissions',
  'audits',
  'verdicts',
  'standings',
  'openings',
  'assignment',
  'sampling',
  'budgets',
  'epochs',
  'maturity',
  'deposits',
  'payouts',
  'payments',
  'treasury',
  'balances',
  'overdue',
] as const

export type Rule = (typeof RULES)[number]

export interface Finding {
  readonly rule: Rule
  /** Index of the log entry that is wrong; null: the log as a whole. */
  readonly entry: number | null
  /** Stable. */
  readonly code: string
  readonly detail: string
}

export interface RuleResult {
  readonly name: Rule
  /** Comparisons made. */
  readonly checked: number
  readonly failed: number
  /** What could not be compared with what the reader brought. */
  readonly skipped: number
  /** The first in the order of the log. */
  readonly first: Finding | null
}

/** One comparison under one rule at one entry. @returns `ok` */
export type Check = (ok: boolean, code: string, detail: () => string) => boolean

export interface Findings {
  at(rule: Rule, entry: number | null): Check
  skip(rule: Rule): void
  results(): RuleResult[]
}

/** Counts everything and keeps the first finding of each rule: a log may be wrong in a million places. */
export function openFindings(): Findings {
  const counts = new Map(RULES.map((rule) => [rule, { checked: 0, failed: 0, skipped: 0 }]))
  const firsts = new Map<Rule, Finding>()

  function countsOf(rule: Rule) {
    const found = counts.get(rule)
    if (found === undefined) throw new Error(`no rule ${rule}`)
    return found
  }

  return {
    at(rule, entry) {
      const count = countsOf(rule)
      return (ok, code, detail) => {
        count.checked += 1
        if (ok) return true
        count.failed += 1
        const first = firsts.get(rule)
        if (first === undefined || isBefore(entry, first.entry)) {
          firsts.set(rule, { rule, entry, code, detail: detail() })
        }
        return false
      }
    },
    skip(rule) {
      countsOf(rule).skipped += 1
    },
    results: () => RULES.map((name) => ({ name, ...countsOf(name), first: firsts.get(name) ?? null })),
  }
}

/** The first difference of a log, in its own order. */
export function firstOf(results: readonly RuleResult[]): Finding | null {
  let earliest: Finding | null = null
  for (const { first } of results) {
    if (first !== null && (earliest === null || isBefore(first.entry, earliest.entry))) earliest = first
  }
  return earliest
}

function isBefore(entry: number | null, other: number | null): boolean {
  return entry !== null && (other === null || entry < other)
}

/** What `parse` makes of bytes from outside, or null and a finding with the format's own code. */
export function readable<T>(check: Check, parse: () => T): T | null {
  try {
    const value = parse()
    check(true, '', () => '')
    return value
  } catch (error) {
    // A format's error has a code, and zod's is called one; whatever else is thrown is a bug of ours.
    if (!(error instanceof Error) || error instanceof AssertionError) throw error
    const code = 'code' in error ? String(error.code) : error.name === 'ZodError' ? 'malformed' : null
    if (code === null) throw error
    check(false, code, () => error.message)
    return null
  }
}
