import { AnchorCheckError } from '../../anchor/check-anchor-transaction.ts'
import {
  type Break,
  type BreakCode,
  CHECK_NAMES,
  type ChainCheck,
  type CheckName,
} from './anchor-chain-report.ts'

/** A check's failure by another code than its usual one. */
export class NamedBreak extends Error {
  readonly code: BreakCode

  constructor(code: BreakCode, message: string) {
    super(message)
    this.code = code
  }
}

/** The value of an earlier check that failed, or that the reader didn't bring. */
class Unmet extends Error {}

const USUAL_CODE: Readonly<Record<CheckName, BreakCode>> = {
  genesis: 'genesis_malformed',
  log_genesis: 'genesis_mismatch',
  log_key: 'log_key_mismatch',
  index: 'index_gap',
  checkpoint: 'checkpoint_signature',
  transaction: 'transaction_malformed',
  seal: 'wrong_spender',
  commitment: 'tweak_mismatch',
  append_only: 'not_append_only',
  branch: 'branch_mismatch',
  header_pow: 'header_pow',
  heights: 'height_order',
  header_chain: 'header_unknown',
  last_seal: 'seal_spent',
}

export interface ChainChecklist {
  /** Runs one check of one anchor: what it throws is the break. @returns its value, null where it has none. */
  check<T>(name: CheckName, anchor: number | null, run: () => T): T | null
  /** The first break, in the order in which the checks were made. */
  firstBreak(): Break | null
  results(): ChainCheck[]
}

export function openChainChecklist(): ChainChecklist {
  const passed = new Map<CheckName, number>()
  const unmade = new Map<CheckName, string>()
  const breaks = new Map<CheckName, Break>()

  function resultOf(name: CheckName): ChainCheck {
    const broken = breaks.get(name) ?? null
    const reason = unmade.get(name)
    const count = passed.get(name) ?? 0
    if (broken !== null) return { name, ok: false, detail: broken.detail, break: broken }
    if (reason !== undefined) return { name, ok: null, detail: `not checked: ${reason}`, break: null }
    if (count === 0) return { name, ok: null, detail: 'not checked: there is no anchor', break: null }
    return { name, ok: true, detail: count === 1 ? 'passed' : `passed ${count} times`, break: null }
  }

  return {
    check(name, anchor, run) {
      try {
        const value = run()
        passed.set(name, (passed.get(name) ?? 0) + 1)
        return value
      } catch (cause) {
        // The bytes are hostile: whatever they break is this check's answer, never an exception.
        const detail = cause instanceof Error ? cause.message : String(cause)
        if (cause instanceof Unmet) unmade.set(name, detail)
        else if (!breaks.has(name)) {
          const code =
            cause instanceof NamedBreak || cause instanceof AnchorCheckError ? cause.code : USUAL_CODE[name]
          breaks.set(name, { code, anchor, detail })
        }
        return null
      }
    },
    firstBreak: () => breaks.values().next().value ?? null,
    results: () => CHECK_NAMES.map(resultOf),
  }
}

/** Inside a check: a value that it can't do without; where it is missing the check isn't made. */
export function given<T>(value: T | null | undefined, reason = 'an earlier check failed'): T {
  if (value === null || value === undefined) throw new Unmet(reason)
  return value
}
