import assert from 'node:assert/strict'
import type { CanaryOutcome } from './canaries.ts'
import type { Ratio } from './sampling.ts'
import { scoreOf } from './score.ts'
import { splitByFloor, splitByLargestRemainder, type Weight } from './split.ts'

/** What became of a receipt by its epoch's verdict cutoff. `operator_missed`: sampled, no verdict in time, not its fault. */
export type ReceiptOutcome = PaidOutcome | UnpaidOutcome
type PaidOutcome = 'pass' | 'unsampled' | 'operator_missed'
/** Not out of the budget: what is bought is paid by its requester (fees.ts). */
type UnpaidOutcome =
  | 'bought'
  | 'refunded'
  | CanaryOutcome
  | 'fail'
  | 'inconclusive'
  | 'unassigned'
  | 'repeated'
  | 'suspended'

/** Why a receipt earned or didn't; every receipt gets one. */
export type EarningReason = 'earned' | UnpaidOutcome | 'no_budget' | 'too_late' | 'below_one_msat'

/** Genesis may grant auditors less, never more: at least 95 % go to those who computed. */
export const MAX_AUDIT_SHARE_BASIS_POINTS = 500
const WHOLE_BASIS_POINTS = 10_000n

export interface SettlementReceipt {
  /** Receipt id, hex. */
  receipt: string
  /** Key, hex. */
  worker: string
  /** Digest, hex. */
  model: string
  /** What its audit rate was set by, at its submission (expected-reward.ts): it never earns more out of a budget. */
  rewardMsat: bigint
  /** What its subnet's objective leaves of that (objectives/earned-share.ts). */
  share: Ratio
  outcome: ReceiptOutcome
}

export interface EpochWork {
  budgetMsat: bigint
  auditShareBasisPoints: number
  subnets: { name: string; weight: bigint; receipts: SettlementReceipt[] }[]
  audits: { auditor: string; units: bigint }[]
}

export interface EpochSettlement {
  /** Sorted by subnet, then worker, then model; only amounts above zero. */
  compute: { worker: string; subnet: string; model: string; msat: bigint }[]
  /** Sorted by auditor; only amounts above zero. */
  audit: { auditor: string; msat: bigint }[]
  returnedMsat: bigint
  receipts: { receipt: string; reason: EarningReason }[]
}

/**
 * Shares out an epoch's budget: what it pays and what it returns are the budget, to the msat.
 *
 * Subnets divide their part by largest remainder, since only the operator makes subnets. Workers and auditors make keys
 * as they like, so their shares are rounded down and the rest, less than 1 msat a key, returns to the reserve. Work
 * spread over many keys thus never earns more than under one, and more verified work never earns less.
 *
 * A subnet pays what was expected of its receipts, as far as its objective leaves it to them, and where that is more than
 * its part, as of work from epochs that paid better, proportionally less. The part of what was offered and not answered
 * returns: shared among the few who did answer, it would be far above what their audit rates deter from cheating for.
 *
 * What a worker gets is its models' by largest remainder, since a frozen model's rewards wait alone.
 *
 * Auditors get their share of what is paid, not of what was set aside: where little was computed, little goes to audits.
 */
export function settleEpoch({
  budgetMsat,
  auditShareBasisPoints,
  subnets,
  audits,
}: EpochWork): EpochSettlement {
  assert(budgetMsat >= 0n, 'a budget is never negative')
  assert(auditShareBasisPoints >= 0 && auditShareBasisPoints <= MAX_AUDIT_SHARE_BASIS_POINTS, 'audit share')
  const auditShare = BigInt(auditShareBasisPoints)
  const auditPoolMsat = (budgetMsat * auditShare) / WHOLE_BASIS_POINTS
  const pools = splitByLargestRemainder(
    budgetMsat - auditPoolMsat,
    subnets.map(({ name, weight }) => ({ key: name, weight })),
  )

  const compute: EpochSettlement['compute'] = []
  const receipts: EpochSettlement['receipts'] = []
  for (const subnet of subnets) {
    const poolMsat = pools.get(subnet.name) ?? 0n
    const paid = subnet.receipts.filter(({ outcome }) => isPaid(outcome))
    const scores = scoresBy('worker', paid)
    const expectedMsat = scores.reduce((sum, { weight }) => sum + weight, 0n)
    const earned = splitByFloor(expectedMsat < poolMsat ? expectedMsat : poolMsat, scores)
    for (const [worker, own] of Map.groupBy(paid, (receipt) => receipt.worker)) {
      const parts = splitByLargestRemainder(earned.get(worker) ?? 0n, scoresBy('model', own))
      for (const [model, msat] of parts) {
        if (msat > 0n) compute.push({ worker, subnet: subnet.name, model, msat })
      }
    }
    for (const receipt of subnet.receipts) {
      receipts.push({ receipt: receipt.receipt, reason: reasonOf(receipt, poolMsat, earned) })
    }
  }
  assert.equal(
    new Set(receipts.map(({ receipt }) => receipt)).size,
    receipts.length,
    'a receipt is listed twice',
  )

  const computedMsat = sumMsat(compute)
  const auditLimitMsat = (computedMsat * auditShare) / (WHOLE_BASIS_POINTS - auditShare)
  const auditMsat = auditLimitMsat < auditPoolMsat ? auditLimitMsat : auditPoolMsat
  const audit = [...splitByFloor(auditMsat, unitsByAuditor(audits))]
    .map(([auditor, msat]) => ({ auditor, msat }))
    .filter(({ msat }) => msat > 0n)

  return {
    compute: compute.sort(
      (a, b) =>
        compareText(a.subnet, b.subnet) || compareText(a.worker, b.worker) || compareText(a.model, b.model),
    ),
    audit: audit.sort((a, b) => compareText(a.auditor, b.auditor)),
    returnedMsat: budgetMsat - computedMsat - sumMsat(audit),
    receipts: receipts.sort((a, b) => compareText(a.receipt, b.receipt)),
  }
}

function scoresBy(part: 'worker' | 'model', receipts: SettlementReceipt[]): Weight[] {
  return [...Map.groupBy(receipts, (receipt) => receipt[part])].map(([key, own]) => ({
    key,
    weight: scoreOf(own),
  }))
}

function unitsByAuditor(audits: EpochWork['audits']): Weight[] {
  return [...Map.groupBy(audits, ({ auditor }) => auditor)].map(([key, own]) => ({
    key,
    weight: own.reduce((sum, { units }) => sum + units, 0n),
  }))
}

function reasonOf(receipt: SettlementReceipt, poolMsat: bigint, earned: Map<string, bigint>): EarningReason {
  if (!isPaid(receipt.outcome)) return receipt.outcome
  if (poolMsat === 0n) return 'no_budget'
  if (receipt.share.numerator === 0n) return 'too_late'
  return scoreOf([receipt]) === 0n || earned.get(receipt.worker) === 0n ? 'below_one_msat' : 'earned'
}

function isPaid(outcome: ReceiptOutcome): outcome is PaidOutcome {
  return outcome === 'pass' || outcome === 'unsampled' || outcome === 'operator_missed'
}

function sumMsat(parts: { msat: bigint }[]): bigint {
  return parts.reduce((sum, { msat }) => sum + msat, 0n)
}

function compareText(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
