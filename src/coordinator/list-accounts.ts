import type { Coordinator } from './coordinator.ts'
import { RefusedError } from './refused-error.ts'

/** Some 100 kB of JSON; the books of a thousand workers are three pages. */
export const ACCOUNTS_PER_PAGE = 1_000

/**
 * In the order of names, the next page after `next`, which is null at the end. `size`: entries of the log that the
 * balances follow from, and besides only from the payouts that the chain has settled; null: all. Throws RefusedError 400
 * `size_unknown`, 410 `size_gone`.
 */
export function listAccounts(
  { books: { ledger, log } }: Coordinator,
  after: string | null,
  asked: number | null,
) {
  const size = asked ?? log.size()
  if (size > log.size()) throw new RefusedError(400, 'size_unknown', `the log has ${log.size()} entries`)
  const rows = ledger.accountsAfter(after ?? '', ACCOUNTS_PER_PAGE, size)
  if (rows === null) throw new RefusedError(410, 'size_gone', `too much has moved since entry ${size}`)
  return {
    size,
    accounts: rows.map(({ name, postedMsat }) => ({ account: name, msat: postedMsat })),
    next: rows.length < ACCOUNTS_PER_PAGE ? null : (rows.at(-1)?.name ?? null),
  }
}
