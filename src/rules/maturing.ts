import type { Standing } from './cusum.ts'
import { modelKey } from './standings.ts'

/** Stands in the place of a subnet's name for what auditors earn; no subnet can be called so. */
export const AUDIT = '(audit)'

/** Likewise, for what the log before owed. */
export const INHERITED = '(inherited)'

/** And in the place of a model's digest where none earned it. */
export const NO_MODEL = ''

/** A part of what an epoch paid: to one worker, for one model. */
export interface Accrued {
  /** Key, hex. */
  readonly worker: string
  readonly subnet: string
  /** Digest, hex, or `NO_MODEL`. */
  readonly model: string
  readonly msat: bigint
  /** Whose fee it is; null: of the subsidy. */
  readonly requester: string | null
}

/** Whether an accrual whose height has come becomes its worker's for good. */
export function mayMature(
  { worker, subnet, model }: Accrued,
  known: { standingOf: (worker: string) => Standing; isFrozen: (model: string) => boolean },
): boolean {
  return known.standingOf(worker) === 'good' && !known.isFrozen(modelKey(subnet, model))
}

/** Where a suspended worker's unmatured rewards go: fees back to whom they were paid by, in the order of names, the rest to the reserve. */
export function shareForfeit(accruals: readonly Accrued[]): {
  refunds: { requester: string; msat: bigint }[]
  reserveMsat: bigint
} {
  const refunds = new Map<string, bigint>()
  let reserveMsat = 0n
  for (const { requester, msat } of accruals) {
    if (requester === null) reserveMsat += msat
    else refunds.set(requester, (refunds.get(requester) ?? 0n) + msat)
  }
  const byName = [...refunds].sort(([a], [b]) => (a < b ? -1 : 1))
  return {
    refunds: byName.flatMap(([requester, msat]) => (msat > 0n ? [{ requester, msat }] : [])),
    reserveMsat,
  }
}

/** All that a suspended worker has unmatured; of an auditor that a known answer refutes, its pay for audits. */
export type ForfeitScope = 'all' | 'audit'

export function isForfeited({ subnet }: Accrued, scope: ForfeitScope): boolean {
  return scope === 'all' || subnet === AUDIT
}
