import assert from 'node:assert'
import type { Database } from 'better-sqlite3'

/**
 * Runs `write`, whose commits are atomic and in order, and are on the disk when the next commit outside of this that
 * writes a page has returned: it syncs the whole write-ahead log (sqlite.org/pragma.html#pragma_synchronous), one of no
 * page syncs nothing. A power cut before that takes them, a crash of the process does not: for what its sender keeps
 * until then, or what is made again from what the disk has.
 */
export function unsynced<T>(db: Database, write: () => T): T {
  assert(!db.inTransaction, 'SQLite changes this between transactions alone')
  db.pragma('synchronous = NORMAL')
  try {
    return write()
  } finally {
    db.pragma('synchronous = FULL')
  }
}
