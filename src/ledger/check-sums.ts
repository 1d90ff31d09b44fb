import { type AccountSums, NO_SUMS, type StoredAccount } from './account-sums.ts'
import type { AccountName } from './accounts.ts'
import type { RecordedTransfer } from './transfer.ts'

export interface Inconsistency {
  account: AccountName
  /** As the account's row has them. */
  stored: AccountSums
  /** As the transfers make them. */
  recomputed: AccountSums
}

/**
 * Adds up all transfers anew and compares. Deliberately apart from the schema's own arithmetic: a mistake in one of
 * them shows.
 */
export function findInconsistencies(
  transfers: Iterable<RecordedTransfer>,
  accounts: StoredAccount[],
): Inconsistency[] {
  const sums = new Map<AccountName, AccountSums>()
  const sumsOf = (account: AccountName) => {
    const known = sums.get(account) ?? { ...NO_SUMS }
    sums.set(account, known)
    return known
  }
  for (const { kind, debit, credit, amountMsat } of transfers) {
    const debited = sumsOf(debit)
    const credited = sumsOf(credit)
    if (kind === 'pending') {
      debited.debitsPendingMsat += amountMsat
      credited.creditsPendingMsat += amountMsat
    }
    if (kind === 'post' || kind === 'void') {
      debited.debitsPendingMsat -= amountMsat
      credited.creditsPendingMsat -= amountMsat
    }
    if (kind === 'post' || kind === 'direct') {
      debited.debitsPostedMsat += amountMsat
      credited.creditsPostedMsat += amountMsat
    }
  }
  return accounts
    .map(({ name, quarantined: _, ...stored }) => ({
      account: name,
      stored,
      recomputed: sums.get(name) ?? NO_SUMS,
    }))
    .filter(({ stored, recomputed }) => !areEqual(stored, recomputed))
}

function areEqual(a: AccountSums, b: AccountSums): boolean {
  return (
    a.debitsPendingMsat === b.debitsPendingMsat &&
    a.debitsPostedMsat === b.debitsPostedMsat &&
    a.creditsPendingMsat === b.creditsPendingMsat &&
    a.creditsPostedMsat === b.creditsPostedMsat
  )
}
