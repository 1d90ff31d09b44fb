import { CHECK_NAMES, type CheckName, type ProofCheck } from './proof-report.ts'

/** A value that an earlier check had to give. */
class Unmet extends Error {}

export interface Checklist {
  /** Runs one check: what it returns is the value for later ones, what it throws is why it failed. Null after that. */
  check<T>(name: CheckName, run: () => T, describe: (value: T) => string): T | null
  skip(name: CheckName, reason: string): void
  /** In the order of CHECK_NAMES. */
  results(): ProofCheck[]
}

export function openChecklist(): Checklist {
  const done = new Map<CheckName, ProofCheck>()
  const record = (name: CheckName, ok: boolean | null, detail: string) => done.set(name, { name, ok, detail })
  return {
    check(name, run, describe) {
      try {
        const value = run()
        record(name, true, describe(value))
        return value
      } catch (cause) {
        // A verifier is given hostile bytes: whatever they break is the answer to this check, never an exception.
        if (cause instanceof Unmet) record(name, null, 'not checked: an earlier check failed')
        else record(name, false, cause instanceof Error ? cause.message : String(cause))
        return null
      }
    },
    skip: (name, reason) => void record(name, null, `not checked: ${reason}`),
    results: () => CHECK_NAMES.flatMap((name) => done.get(name) ?? []),
  }
}

/** Inside a check: the value of an earlier one; without it the check isn't made. */
export function given<T>(value: T | null): T {
  if (value === null) throw new Unmet()
  return value
}
