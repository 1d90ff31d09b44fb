import type { Coordinator } from './coordinator.ts'

/** Some 100 kB of JSON; the books of a thousand workers are three pages. */
export const ACCOUNTS_PER_PAGE = 1_000

/**
 * In the order of names, the next page after `next`, which is null at the end. `size`: entries of the log that the
 * balances follow from, and besides only from the payouts that the chain has settled.
 */
export function listAccounts({ books }: Coordinator, after: string | null) {
  const rows = books.ledger.accountsAfter(after ?? '', ACCOUNTS_PER_PAGE)
  return {
    size: books.log.size(),
    accounts: rows.map(({ name, postedMsat }) => ({ account: name, msat: postedMsat })),
    next: rows.length < ACCOUNTS_PER_PAGE ? null : (rows.at(-1)?.name ?? null),
  }
}
