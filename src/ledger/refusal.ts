import { MAX_MSAT, type StoredAccount } from './account-sums.ts'
import { parseAccount } from './accounts.ts'
import type { Transfer } from './transfer.ts'

/** Why the ledger refused. Stable: callers match on it and it is recorded beside the refused id. */
export type RefusalReason =
  | 'id_reused' // that id is a transfer with other content
  | 'amount_not_positive'
  | 'amount_too_large'
  | 'same_account'
  | 'account_quarantined'
  | 'sum_overflow'
  | 'balance_too_low'
  | 'pending_not_found'
  | 'pending_wrong_kind' // what was to be settled was never pending
  | 'already_posted'
  | 'already_voided'

/** Why the transfer can't be made between these accounts as they stand, or null. */
export function refusalOf(
  { debit, credit, amountMsat }: Transfer,
  debited: StoredAccount,
  credited: StoredAccount,
): RefusalReason | null {
  if (amountMsat <= 0n) return 'amount_not_positive'
  if (amountMsat > MAX_MSAT) return 'amount_too_large'
  if (debit === credit) return 'same_account'
  if (debited.quarantined || credited.quarantined) return 'account_quarantined'
  // Pending counts as if posted, so that settling never meets a limit.
  const debitsMsat = debited.debitsPostedMsat + debited.debitsPendingMsat + amountMsat
  const creditsMsat = credited.creditsPostedMsat + credited.creditsPendingMsat + amountMsat
  if (debitsMsat > MAX_MSAT || creditsMsat > MAX_MSAT) return 'sum_overflow'
  if (parseAccount(debit).normal === 'credit' && debitsMsat > debited.creditsPostedMsat)
    return 'balance_too_low'
  return null
}
