import type { Database } from 'better-sqlite3'
import { LogError } from './log-error.ts'
import { storedHashIndex } from './stored-hash-index.ts'

/** The log's tables by tree coordinates. Rows that should be there and aren't throw LogError `log_corrupt`. */
export interface LogRows {
  /** Entries, those of an open transaction included. */
  size(): number
  entry(index: number): Uint8Array
  /** `count` of them at once. */
  entries(first: number, count: number): Uint8Array[]
  /** The hash of the `n`th complete subtree of 2^`level` entries. */
  node(level: number, n: number): Uint8Array
  /** Stores entry `index` and the hashes of the subtrees that it completes, leaf first. */
  insert(index: number, entry: Uint8Array, completed: readonly Uint8Array[]): void
  /** Hashes, those of an open transaction included. */
  hashCount(): number
}

export function openLogRows(db: Database): LogRows {
  const countEntries = db
    .prepare<[], bigint>('SELECT coalesce(max(entry_index) + 1, 0) FROM log_entry')
    .pluck()
  const countHashes = db.prepare<[], bigint>('SELECT coalesce(max(hash_index) + 1, 0) FROM log_hash').pluck()
  const selectEntry = db
    .prepare<[number], Uint8Array>('SELECT entry FROM log_entry WHERE entry_index = ?')
    .pluck()
  const selectEntries = db
    .prepare<[number, number], Uint8Array>(
      'SELECT entry FROM log_entry WHERE entry_index BETWEEN ? AND ? ORDER BY entry_index',
    )
    .pluck()
  const selectHash = db
    .prepare<[number], Uint8Array>('SELECT hash FROM log_hash WHERE hash_index = ?')
    .pluck()
  const insertEntry = db.prepare<[number, Uint8Array]>('INSERT INTO log_entry VALUES (?, ?)')
  const insertHash = db.prepare<[number, Uint8Array]>('INSERT INTO log_hash VALUES (?, ?)')

  return {
    size: () => Number(countEntries.get()),
    hashCount: () => Number(countHashes.get()),

    entry(index) {
      const entry = selectEntry.get(index)
      if (entry === undefined) throw new LogError('log_corrupt', `the log misses its entry ${index}`)
      return entry
    },

    entries(first, count) {
      const entries = selectEntries.all(first, first + count - 1)
      if (entries.length !== count)
        throw new LogError('log_corrupt', `the log misses some of its entries from ${first} on`)
      return entries
    },

    node(level, n) {
      const hash = selectHash.get(storedHashIndex(level, n))
      if (hash === undefined) throw new LogError('log_corrupt', `the log misses hash ${n} of level ${level}`)
      return hash
    },

    insert(index, entry, completed) {
      insertEntry.run(index, entry)
      const first = storedHashIndex(0, index)
      completed.forEach((hash, level) => void insertHash.run(first + level, hash))
    },
  }
}
