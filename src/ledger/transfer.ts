import type Database from 'better-sqlite3'
import type { AccountName } from './accounts.ts'

/** Transfers in one answer of a listing. */
export const TRANSFERS_PER_PAGE = 1000

/** A movement of money to be made. The amount is debited to one account and credited to another. */
export interface Transfer {
  /** The sender's, made before sending: printable ASCII without spaces, at most 200. A retry carries the same. */
  id: string
  debit: AccountName
  credit: AccountName
  amountMsat: bigint
  /** What it is for: lower-case words joined by `_`, at most 64 characters. */
  code: string
  /** Index of the log entry that justifies it. */
  entryIndex: number
  /** Only reserves the amount, until it is settled. */
  pending?: boolean
}

/** How a pending transfer ends: posted or voided, whole. */
export interface Settlement {
  /** Of the new transfer that this makes. */
  id: string
  post: boolean
  entryIndex: number
}

/** A transfer as the ledger keeps it, for ever. A post or void repeats what it settles. */
export interface RecordedTransfer {
  /** From 1, in the order of recording. */
  sequence: number
  id: string
  kind: 'direct' | 'pending' | 'post' | 'void'
  debit: AccountName
  credit: AccountName
  amountMsat: bigint
  code: string
  entryIndex: number
  /** The pending transfer that a post or void settles. */
  pendingId: string | null
}

export type TransferFilter = 'all' | { account: AccountName } | { entryIndex: number }

type Row = Omit<RecordedTransfer, 'sequence' | 'entryIndex'> & { sequence: bigint; entryIndex: bigint }

const SELECT = `SELECT sequence, id, kind, debit, credit, amount_msat AS amountMsat, code, entry_index AS entryIndex,
  pending_id AS pendingId FROM ledger_transfer`

/** The table of transfers: it can be read and added to. */
export function openTransfers(db: Database.Database) {
  const byId = db.prepare<[string], Row>(`${SELECT} WHERE id = ?`)
  const settling = db.prepare<[string], Row>(`${SELECT} WHERE pending_id = ?`)
  const inOrder = db.prepare<[], Row>(`${SELECT} ORDER BY sequence`)
  const page = `ORDER BY sequence LIMIT ${TRANSFERS_PER_PAGE}`
  const all = db.prepare<[number], Row>(`${SELECT} WHERE sequence > ? ${page}`)
  const ofEntry = db.prepare<[number, number], Row>(
    `${SELECT} WHERE entry_index = ? AND sequence > ? ${page}`,
  )
  // Two ordered index walks merged; no transfer is in both, since debit and credit differ.
  const ofAccount = db.prepare<[string, number, string, number], Row>(
    `${SELECT} WHERE debit = ? AND sequence > ? UNION ALL ${SELECT} WHERE credit = ? AND sequence > ? ${page}`,
  )
  // An entry's first transfers come with it; only what the chain brings about, of a payout, comes later.
  const firstSince = db
    .prepare<[number], bigint>(
      'SELECT sequence FROM ledger_transfer WHERE entry_index >= ? ORDER BY entry_index, sequence LIMIT 1',
    )
    .pluck()
  const newest = db.prepare<[], bigint>('SELECT coalesce(max(sequence), 0) FROM ledger_transfer').pluck()
  const insert = db.prepare<[Omit<RecordedTransfer, 'sequence'>]>(
    `INSERT INTO ledger_transfer (id, kind, debit, credit, amount_msat, code, entry_index, pending_id)
     VALUES (@id, @kind, @debit, @credit, @amountMsat, @code, @entryIndex, @pendingId)`,
  )

  // As one statement: a call for each transfer takes two to three times as long.
  const settlePending = db.prepare<[{ ids: string; kind: string; entryIndex: number }]>(
    `INSERT INTO ledger_transfer (id, kind, debit, credit, amount_msat, code, entry_index, pending_id)
     SELECT id || '/' || @kind, @kind, debit, credit, amount_msat, code, @entryIndex, id FROM ledger_transfer AS pending
      WHERE id IN (SELECT value FROM json_each(@ids)) AND kind = 'pending'
        AND NOT EXISTS (SELECT 1 FROM ledger_transfer WHERE pending_id = pending.id)
        AND id || '/' || @kind NOT IN (SELECT id FROM ledger_refusal)
        AND debit NOT IN (SELECT name FROM ledger_account WHERE quarantined = 1)
        AND credit NOT IN (SELECT name FROM ledger_account WHERE quarantined = 1)
      ORDER BY id`,
  )

  function rowsOf(filter: TransferFilter, afterSequence: number): Row[] {
    if (filter === 'all') return all.all(afterSequence)
    if ('entryIndex' in filter) return ofEntry.all(filter.entryIndex, afterSequence)
    return ofAccount.all(filter.account, afterSequence, filter.account, afterSequence)
  }

  return {
    find: (id: string) => recorded(byId.get(id)),
    findSettlementOf: (pendingId: string) => recorded(settling.get(pendingId)),
    page: (filter: TransferFilter, afterSequence: number) =>
      rowsOf(filter, afterSequence).map((row) => fromRow(row)),
    /** Where those of entry `size` and later ones begin, and how many transfers there are from there on. */
    since(size: number): { since: bigint; back: bigint } {
      const next = (newest.get() ?? 0n) + 1n
      const since = firstSince.get(size) ?? next
      return { since, back: next - since }
    },
    /** All of them; the database can't be written to until the iteration ends. */
    *inOrder(): Generator<RecordedTransfer> {
      for (const row of inOrder.iterate()) yield fromRow(row)
    },
    insert: (transfer: Omit<RecordedTransfer, 'sequence'>) => insert.run(transfer),
    /** @returns how many of them could be settled */
    settlePending: (ids: readonly string[], kind: 'post' | 'void', entryIndex: number) =>
      settlePending.run({ ids: JSON.stringify(ids), kind, entryIndex }).changes,
  }
}

function recorded(row: Row | undefined): RecordedTransfer | null {
  return row ? fromRow(row) : null
}

function fromRow(row: Row): RecordedTransfer {
  return { ...row, sequence: Number(row.sequence), entryIndex: Number(row.entryIndex) }
}
