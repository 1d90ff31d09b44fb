/** Whom the next payout pays, and why the others wait (docs/PROTOCOL.md §7, Payouts). */

import type { AccountName } from '../ledger/accounts.ts'
import { MSAT_PER_SAT } from './msat-per-sat.ts'

export interface PayoutCandidate {
  readonly account: AccountName
  readonly address: string
  /** Matured, or asked back, and not on its way. */
  readonly payableMsat: bigint
  /** The payee's own wish. */
  readonly thresholdSats: bigint
  /** Least that can be paid to the address; null where it can't be paid at all. */
  readonly dustSats: bigint | null
  readonly isQuarantined: boolean
}

export interface PayoutLimits {
  readonly thresholdSats: bigint
  readonly payeeCapSats: bigint
  readonly runCapSats: bigint
  /** What the day's payouts have left of its cap. */
  readonly dayLeftSats: bigint
  readonly maxPayees: number
}

type HeldReason =
  | 'below_threshold'
  | 'below_dust'
  | 'address_unpayable'
  | 'quarantined'
  | 'payees_full' // the next payout's
  | 'run_cap'
  | 'day_cap'

interface Due {
  readonly account: AccountName
  readonly address: string
  readonly sats: bigint
}

export interface PayoutPlan {
  readonly payees: readonly Due[]
  readonly held: readonly (Due & { readonly reason: HeldReason })[]
}

/**
 * In the order of the candidates: whole satoshis, up to the cap of each; from the first that doesn't fit on, all wait. What
 * is left of a satoshi, or above a cap, stays where it is. Everyone with a satoshi is in one of the two lists.
 */
export function planPayout(candidates: readonly PayoutCandidate[], limits: PayoutLimits): PayoutPlan {
  const payees: Due[] = []
  const held: (Due & { reason: HeldReason })[] = []
  let totalSats = 0n
  let full: HeldReason | null = null
  for (const candidate of candidates) {
    const wholeSats = candidate.payableMsat / MSAT_PER_SAT
    const sats = wholeSats < limits.payeeCapSats ? wholeSats : limits.payeeCapSats
    if (sats <= 0n) continue
    const { account, address } = candidate
    const own = whyNot(candidate, wholeSats, sats, limits)
    // Nobody overtakes: the first that doesn't fit is the first of the next payout.
    if (own === null) full ??= whyFull(payees.length, totalSats + sats, limits)
    const reason = own ?? full
    if (reason !== null) {
      held.push({ account, address, sats, reason })
      continue
    }
    payees.push({ account, address, sats })
    totalSats += sats
  }
  return { payees, held }
}

function whyNot(
  { thresholdSats, dustSats, isQuarantined }: PayoutCandidate,
  wholeSats: bigint,
  sats: bigint,
  limits: PayoutLimits,
): HeldReason | null {
  if (isQuarantined) return 'quarantined'
  if (dustSats === null) return 'address_unpayable'
  if (wholeSats < limits.thresholdSats || wholeSats < thresholdSats) return 'below_threshold'
  return sats < dustSats ? 'below_dust' : null
}

function whyFull(payeeCount: number, totalSats: bigint, limits: PayoutLimits): HeldReason | null {
  if (payeeCount >= limits.maxPayees) return 'payees_full'
  if (totalSats > limits.runCapSats) return 'run_cap'
  return totalSats > limits.dayLeftSats ? 'day_cap' : null
}
