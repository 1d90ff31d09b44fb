import type { Database, Statement } from 'better-sqlite3'
import { type AccountName, parseAccount } from './accounts.ts'

/** The largest amount and sum: SQLite's INTEGER. About 92 million BTC. */
export const MAX_MSAT = 2n ** 63n - 1n

/** What has passed through an account; the four never decrease but for settled pending ones. */
export interface AccountSums {
  debitsPendingMsat: bigint
  debitsPostedMsat: bigint
  creditsPendingMsat: bigint
  creditsPostedMsat: bigint
}

type PostedSums = Pick<StoredAccount, 'name' | 'debitsPostedMsat' | 'creditsPostedMsat'>

export interface StoredAccount extends AccountSums {
  name: AccountName
  /** 1n when its sums were found to differ from its transfers. */
  quarantined: bigint
}

export interface Balance {
  /** On the account's normal side; below zero only for assets. */
  postedMsat: bigint
  /** Reserved by pending transfers out of it. */
  pendingMsat: bigint
  /** Posted less reserved. */
  availableMsat: bigint
}

export const NO_SUMS: AccountSums = {
  debitsPendingMsat: 0n,
  debitsPostedMsat: 0n,
  creditsPendingMsat: 0n,
  creditsPostedMsat: 0n,
}

const ACCOUNT_COLUMNS = `name, quarantined,
  debits_pending_msat AS debitsPendingMsat, debits_posted_msat AS debitsPostedMsat,
  credits_pending_msat AS creditsPendingMsat, credits_posted_msat AS creditsPostedMsat`

interface AccountStatements {
  readonly one: Statement<[string], StoredAccount>
  /** By name; the range takes the place of LIKE, which reads wildcards and ignores case. */
  readonly withPrefix: Statement<[string, string], StoredAccount>
  /** By name, those after one, without what is of entry `size` or later: all from sequence `since` on. */
  readonly page: Statement<[{ after: string; limit: number; size: number; since: bigint }], PostedSums>
  readonly open: Statement<[string, bigint]>
  readonly quarantine: Statement<[string]>
  readonly quarantined: Statement<[], AccountName>
}

/** What that posted to one side of an account. */
function postedSince(side: 'debit' | 'credit'): string {
  return `(SELECT coalesce(sum(amount_msat), 0) FROM ledger_transfer
    WHERE ${side} = name AND sequence >= @since AND entry_index >= @size AND kind IN ('direct', 'post'))`
}

export function prepareAccounts(db: Database): AccountStatements {
  return {
    one: db.prepare<[string], StoredAccount>(`SELECT ${ACCOUNT_COLUMNS} FROM ledger_account WHERE name = ?`),
    withPrefix: db.prepare<[string, string], StoredAccount>(
      `SELECT ${ACCOUNT_COLUMNS} FROM ledger_account WHERE name >= ? AND name < ? || char(0x10ffff) ORDER BY name`,
    ),
    page: db.prepare(
      `SELECT name, debits_posted_msat - ${postedSince('debit')} AS debitsPostedMsat,
              credits_posted_msat - ${postedSince('credit')} AS creditsPostedMsat
         FROM ledger_account WHERE name > @after ORDER BY name LIMIT @limit`,
    ),
    open: db.prepare<[string, bigint]>(
      'INSERT OR IGNORE INTO ledger_account (name, credit_normal) VALUES (?, ?)',
    ),
    quarantined: db.prepare<[], AccountName>('SELECT name FROM ledger_account WHERE quarantined = 1').pluck(),
    quarantine: db.prepare<[string]>('UPDATE ledger_account SET quarantined = 1 WHERE name = ?'),
  }
}

export function balanceOf(name: AccountName, sums: AccountSums): Balance {
  const isCredit = parseAccount(name).normal === 'credit'
  const postedMsat = isCredit
    ? sums.creditsPostedMsat - sums.debitsPostedMsat
    : sums.debitsPostedMsat - sums.creditsPostedMsat
  const pendingMsat = isCredit ? sums.debitsPendingMsat : sums.creditsPendingMsat
  return { postedMsat, pendingMsat, availableMsat: postedMsat - pendingMsat }
}
