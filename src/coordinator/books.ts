import type { Database } from 'better-sqlite3'
import type { BlobStore } from '../blobs/blob-store.ts'
import { type Ledger, MAX_TRANSFERS_PER_POST } from '../ledger/ledger.ts'
import type { Transfer } from '../ledger/transfer.ts'
import type { Entry } from '../log/entry.ts'
import { encodeEntry } from '../log/entry.ts'
import type { LogStore } from '../log/log-store.ts'

/**
 * What the coordinator keeps: one SQLite database that holds the log, the ledger and its own tables, and the blobs
 * beside it. State and entry change in one transaction, so log and state can't diverge (DESIGN §5).
 */
export interface Books {
  readonly db: Database
  readonly log: LogStore
  readonly blobs: BlobStore
  readonly ledger: Ledger
}

/**
 * Appends `entry` and runs `change` with its index in one immediate transaction; durable when it returns.
 * Blobs that the entry names must have been put before: a committed entry never names a missing blob, unless it is put
 * again at the next start from what commits with it.
 */
export function record<T>(books: Books, entry: Entry, change: (index: number) => T): T {
  return books.db
    .transaction(() => {
      const index = books.log.append(encodeEntry(entry))
      return change(index)
    })
    .immediate()
}

/** Runs `read`, which changes nothing, on one state of all that is kept: each statement by itself would lock the files anew. */
export function look<T>({ db, blobs }: Pick<Books, 'db' | 'blobs'>, read: () => T): T {
  return blobs.together(() => db.transaction(read).deferred())
}

/** Posts transfers that follow from the log: one that is refused is a bug, and takes its entry down with it. */
export function postAll(books: Books, transfers: readonly Transfer[]): void {
  for (let from = 0; from < transfers.length; from += MAX_TRANSFERS_PER_POST) {
    const some = transfers.slice(from, from + MAX_TRANSFERS_PER_POST)
    for (const [i, outcome] of books.ledger.post(some).entries()) {
      if (typeof outcome !== 'string')
        throw new Error(`transfer ${some[i]?.id} was refused: ${outcome.refused}`)
    }
  }
}

/** As postAll, without what a quarantined account takes part in: that waits until the ledger is rebuilt (DESIGN §8). */
export function postUnquarantined(books: Books, transfers: readonly Transfer[]): void {
  const quarantined = books.ledger.quarantined()
  postAll(
    books,
    transfers.filter(({ debit, credit }) => !quarantined.has(debit) && !quarantined.has(credit)),
  )
}
