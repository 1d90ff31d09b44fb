import type { Standing } from './cusum.ts'

/** Stands in the place of a subnet's name for what auditors earn; no subnet can be called so. */
export const AUDIT = '(audit)'

/** Likewise, for what the log before owed. */
export const INHERITED = '(inherited)'

/** A part of what an epoch paid: to one worker, in one subnet. */
export interface Accrued {
  /** Key, hex. */
  readonly worker: string
  readonly subnet: string
  readonly msat: bigint
}

/**
 * Whether an accrual whose height has come becomes its worker's for good. Accruals are by subnet, so that all of a subnet waits
 * while one of its models is frozen; nobody gains by a freeze.
 */
export function mayMature(
  { worker, subnet }: Accrued,
  known: { standingOf: (worker: string) => Standing; isSubnetFrozen: (subnet: string) => boolean },
): boolean {
  return known.standingOf(worker) === 'good' && !known.isSubnetFrozen(subnet)
}

/** Where a suspended worker's unmatured rewards go. What requesters paid for would go back to them before the rest. */
export function shareForfeit(accruals: readonly Accrued[]): { reserveMsat: bigint } {
  return { reserveMsat: accruals.reduce((sum, { msat }) => sum + msat, 0n) }
}

/** All that a suspended worker has unmatured; of an auditor that a known answer refutes, its pay for audits. */
export type ForfeitScope = 'all' | 'audit'

export function isForfeited({ subnet }: Accrued, scope: ForfeitScope): boolean {
  return scope === 'all' || subnet === AUDIT
}
