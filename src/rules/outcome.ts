import type { CanaryOutcome } from './canaries.ts'
import type { ReceiptOutcome } from './settle-epoch.ts'

/** What log and chain say of a receipt when its epoch is settled. */
interface Fate {
  /** Null where nobody knew the answer. */
  canary: CanaryOutcome | null
  /** Of the verdicts that were anchored by the cutoff; null: none was. */
  verdict: 'pass' | 'fail' | 'void' | null
  /** Its worker was suspended after it was submitted. */
  isSuspended: boolean
  /** An item of the open dataset: only what the beacon assigned earns the subsidy. */
  isAssigned: boolean
  /** An entry gave its job back before it was submitted. */
  isRefunded: boolean
  /** What its requester pays for it; 0 where nobody asked, or it was free. */
  chargeMsat: bigint
  /** An earlier receipt for the item stands: each is paid once. */
  isRepeated: boolean
  isSampled: boolean
}

/** The first that applies (docs/PROTOCOL.md §7). */
export function outcomeOf({ verdict, ...fate }: Fate): ReceiptOutcome {
  if (fate.canary !== null) return fate.canary
  if (verdict === 'fail') return 'fail'
  if (verdict === 'void') return 'inconclusive'
  if (fate.isSuspended) return 'suspended'
  if (!fate.isAssigned) return requestOutcome(fate)
  if (fate.isRepeated) return 'repeated'
  if (!fate.isSampled) return 'unsampled'
  return verdict === 'pass' ? 'pass' : 'operator_missed'
}

/** It is bought, unless it was free, or given back before it was answered. */
function requestOutcome({ isRefunded, chargeMsat }: Pick<Fate, 'isRefunded' | 'chargeMsat'>): ReceiptOutcome {
  if (isRefunded) return 'refunded'
  return chargeMsat > 0n ? 'bought' : 'unassigned'
}

/** Whether the item is open again, and a later receipt for it the first. */
export function isRefuted(outcome: ReceiptOutcome): boolean {
  return outcome === 'fail' || outcome === 'inconclusive' || outcome === 'suspended'
}
