import type { EarningReason } from '../rules/settle-epoch.ts'

const WORDS: Readonly<Record<EarningReason, string>> = {
  earned: 'earned',
  bought: 'bought by its requester',
  refunded: 'given back before it was answered: its requester has been refunded',
  canary_passed: 'the operator knew the answer, and it is right: nobody asked for it, so nobody pays',
  canary_failed: 'the operator knew the answer, and it is wrong',
  fail: 'an auditor computed something else',
  inconclusive: 'no auditor could decide: nobody is guilty, nobody pays',
  unassigned: 'a request at price 0',
  repeated: 'an earlier receipt in the log has the same item and model',
  suspended: 'its worker was suspended before the epoch was settled',
  no_budget: 'its subnet had nothing to share out in this epoch',
  too_late: 'its subnet pays for speed, and it was answered after its limit',
  below_one_msat: "less than 1 msat was to be had for it in its job's epoch, or is left of it",
}

/** Why a receipt earned what it earned, or nothing; null: it is not settled. */
export function reasonInWords(reason: string | null, settlementHeight: number): string {
  if (reason === null) return `to be settled at block ${settlementHeight}`
  return new Map(Object.entries(WORDS)).get(reason) ?? reason
}
