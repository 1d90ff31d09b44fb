import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import type Database from 'better-sqlite3'
import { applySchema } from '../store/open-database.ts'
import { type Balance, balanceOf, NO_SUMS, prepareAccounts, type StoredAccount } from './account-sums.ts'
import { type AccountName, parseAccount } from './accounts.ts'
import { findInconsistencies, type Inconsistency } from './check-sums.ts'
import { type RefusalReason, refusalOf } from './refusal.ts'
import {
  openTransfers,
  type RecordedTransfer,
  type Settlement,
  type Transfer,
  type TransferFilter,
} from './transfer.ts'

/** Keeps the write lock to about a second, below the busy timeout of whoever waits for it. */
export const MAX_TRANSFERS_PER_POST = 20_000

/** Read back for an account that takes part in each in some 15 ms, for which all else waits. */
export const MAX_TRANSFERS_BACK = 20_000n

/** `duplicate`: the very same transfer stands already. A refused id stays refused. */
export type Outcome = 'applied' | 'duplicate' | { refused: RefusalReason }

interface AccountBalance extends Balance {
  name: AccountName
  isQuarantined: boolean
}

/** Writes join the caller's transaction, or make their own. */
export interface Ledger {
  /** One outcome each, in order; a refused transfer doesn't hinder the others. @throws LedgerError `account_unknown` */
  post(transfers: Transfer[]): Outcome[]
  settlePending(pendingId: string, settlement: Settlement): Outcome
  /**
   * Settles those of these that are pending still, in the order of their ids, under ids with `/post` or `/void` behind. What a
   * quarantined account takes part in stays pending. @returns how many were settled
   */
  settleAll(pendingIds: readonly string[], kind: 'post' | 'void', entryIndex: number): number
  /** All zero before an account's first transfer. @throws LedgerError `account_unknown` */
  balance(account: AccountName): Balance
  /** Accounts that take part in no transfer until the ledger is rebuilt: the rest goes on without them (DESIGN §8). Reads all. */
  quarantined(): ReadonlySet<string>
  isQuarantined(account: AccountName): boolean
  /** Every account whose name starts so, in the order of names. */
  accounts(prefix?: string): AccountBalance[]
  /**
   * What accounts held by the first `size` entries: at most `limit` in the order of names; the next page comes after the last
   * one's, '' starts. Null where more than MAX_TRANSFERS_BACK have been made since.
   */
  accountsAfter(name: string, limit: number, size: number): { name: AccountName; postedMsat: bigint }[] | null
  /** At most TRANSFERS_PER_PAGE, in order; the next page comes after the last one's sequence. */
  transfers(filter: TransferFilter, afterSequence?: number): RecordedTransfer[]
  /** Adds up all transfers anew and quarantines each account that differs: it takes part in no more transfers. */
  check(): Inconsistency[]
}

/** @param db from openDatabase */
export function openLedger(db: Database.Database): Ledger {
  applySchema(db, readFileSync(new URL('./ledger-schema.sql', import.meta.url), 'utf8'))
  const accounts = prepareAccounts(db)
  const transfers = openTransfers(db)
  const refusal = db
    .prepare<[string], RefusalReason>('SELECT reason FROM ledger_refusal WHERE id = ?')
    .pluck()
  const insertRefusal = db.prepare<[string, RefusalReason, number]>(
    'INSERT INTO ledger_refusal (id, reason, entry_index) VALUES (?, ?, ?)',
  )

  /** The answer that an id has had before, or null. */
  function earlierOutcome(id: string, isSame: (known: RecordedTransfer) => boolean): Outcome | null {
    const known = transfers.find(id)
    if (known) return isSame(known) ? 'duplicate' : { refused: 'id_reused' }
    const reason = refusal.get(id)
    return reason ? { refused: reason } : null
  }

  function refuse(id: string, reason: RefusalReason, entryIndex: number): Outcome {
    insertRefusal.run(id, reason, entryIndex)
    return { refused: reason }
  }

  function account(name: AccountName): StoredAccount {
    return accounts.one.get(name) ?? { ...NO_SUMS, name, quarantined: 0n }
  }

  function postOne(transfer: Transfer): Outcome {
    const { id, debit, credit, amountMsat, code, entryIndex, pending = false } = transfer
    assertIdentity(id, entryIndex)
    assert(/^[a-z_]{1,64}$/.test(code), 'a code is of lower-case words')
    const names = [debit, credit].map((name) => ({ name, isCredit: parseAccount(name).normal === 'credit' }))
    const row = {
      id,
      kind: pending ? 'pending' : 'direct',
      debit,
      credit,
      amountMsat,
      code,
      entryIndex,
    } as const

    const earlier = earlierOutcome(
      id,
      (known) =>
        known.kind === row.kind &&
        known.debit === debit &&
        known.credit === credit &&
        known.amountMsat === amountMsat &&
        known.code === code &&
        known.entryIndex === entryIndex,
    )
    if (earlier) return earlier
    const reason = refusalOf(transfer, account(debit), account(credit))
    if (reason) return refuse(id, reason, entryIndex)
    for (const { name, isCredit } of names) accounts.open.run(name, isCredit ? 1n : 0n)
    transfers.insert({ ...row, pendingId: null })
    return 'applied'
  }

  function settle(pendingId: string, { id, post, entryIndex }: Settlement): Outcome {
    assertIdentity(id, entryIndex)
    const kind = post ? 'post' : 'void'
    const earlier = earlierOutcome(
      id,
      (known) => known.kind === kind && known.pendingId === pendingId && known.entryIndex === entryIndex,
    )
    if (earlier) return earlier

    const pending = transfers.find(pendingId)
    if (!pending) return refuse(id, 'pending_not_found', entryIndex)
    if (pending.kind !== 'pending') return refuse(id, 'pending_wrong_kind', entryIndex)
    const settled = transfers.findSettlementOf(pendingId)
    if (settled) return refuse(id, settled.kind === 'post' ? 'already_posted' : 'already_voided', entryIndex)
    const isQuarantined = account(pending.debit).quarantined || account(pending.credit).quarantined
    if (isQuarantined) return refuse(id, 'account_quarantined', entryIndex)
    const { debit, credit, amountMsat, code } = pending
    transfers.insert({ id, kind, debit, credit, amountMsat, code, entryIndex, pendingId })
    return 'applied'
  }

  function check(): Inconsistency[] {
    const found = findInconsistencies(transfers.inOrder(), accounts.withPrefix.all('', ''))
    for (const { account } of found) accounts.quarantine.run(account)
    return found
  }

  // Inside the caller's transaction better-sqlite3 makes each of these a savepoint of it.
  const inTransaction = {
    post: db.transaction((list: Transfer[]) => list.map(postOne)),
    settle: db.transaction(settle),
    check: db.transaction(check),
  }

  return {
    post(list) {
      assertSize(list)
      return inTransaction.post.immediate(list)
    },
    settlePending: (pendingId, settlement) => inTransaction.settle.immediate(pendingId, settlement),
    settleAll(pendingIds, kind, entryIndex) {
      assertSize(pendingIds)
      for (const id of pendingIds) assertIdentity(`${id}/${kind}`, entryIndex)
      return transfers.settlePending(pendingIds, kind, entryIndex)
    },
    balance: (name) => balanceOf(name, account(name)),
    quarantined: () => new Set(accounts.quarantined.all()),
    isQuarantined: (name) => account(name).quarantined !== 0n,
    accounts: (prefix = '') => accounts.withPrefix.all(prefix, prefix).map(accountBalance),
    accountsAfter(name, limit, size) {
      const { since, back } = transfers.since(size)
      if (back > MAX_TRANSFERS_BACK) return null
      return accounts.page.all({ after: name, limit, size, since }).map((row) => ({
        name: row.name,
        postedMsat: balanceOf(row.name, { ...NO_SUMS, ...row }).postedMsat,
      }))
    },
    transfers: (filter, afterSequence = 0) => transfers.page(filter, afterSequence),
    check: () => inTransaction.check.immediate(),
  }
}

function accountBalance(stored: StoredAccount): AccountBalance {
  const { name, quarantined } = stored
  return { name, isQuarantined: quarantined !== 0n, ...balanceOf(name, stored) }
}

function assertSize({ length }: readonly unknown[]): void {
  assert(length <= MAX_TRANSFERS_PER_POST, `at most ${MAX_TRANSFERS_PER_POST} transfers at once`)
}

function assertIdentity(id: string, entryIndex: number): void {
  assert(/^[\x21-\x7e]{1,200}$/.test(id), 'an id is of 1 to 200 printable characters')
  assert(Number.isSafeInteger(entryIndex) && entryIndex >= 0, 'a transfer names its log entry')
}
