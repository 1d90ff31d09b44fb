import type { Database } from 'better-sqlite3'
import { applySchema, openDatabase } from '../store/open-database.ts'
import { unsynced } from '../store/unsynced.ts'

/** Up to here a row is cheaper than a file of its own, which costs two syncs and a rename (sqlite.org/fasterthanfs.html says the same). */
export const MAX_SMALL_BLOB_BYTES = 128 * 1024

export interface NamedBlob {
  /** SHA-256 in lowercase hex. */
  readonly name: string
  readonly bytes: Uint8Array
}

/** Blobs of at most MAX_SMALL_BLOB_BYTES in one SQLite file: what is put together costs one sync of the disk. */
export interface SmallBlobs {
  /** On the disk when it returns, and all that was put before; all of them or none. */
  put(blobs: readonly NamedBlob[]): void
  /** All of them or none; on the disk when the next `put` returns. */
  putUnsynced(blobs: readonly NamedBlob[]): void
  get(name: string): Uint8Array | null
  sizeBytes(name: string): number | null
  /** One read transaction for all that `read` asks. */
  together<T>(read: () => T): T
  /** Those that are there; all of them or none. */
  remove(names: readonly string[]): void
  totals(): { count: number; bytes: number }
  /** Every blob, one at a time. */
  each(): Iterable<NamedBlob>
  close(): void
}

const SCHEMA = `
CREATE TABLE IF NOT EXISTS blob (
  name  BLOB NOT NULL UNIQUE CHECK (length(name) = 32),
  bytes BLOB NOT NULL
) STRICT;`

/** Throws StoreError. */
export function openSmallBlobs(path: string): SmallBlobs {
  const db: Database = openDatabase(path)
  applySchema(db, SCHEMA)
  // What is there already is written again: the disk may have lost bytes of it since.
  const upsert = db.prepare(
    'INSERT INTO blob (name, bytes) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET bytes = excluded.bytes',
  )
  const select = db.prepare<[Uint8Array], Uint8Array>('SELECT bytes FROM blob WHERE name = ?').pluck()
  const selectSize = db.prepare<[Uint8Array], bigint>('SELECT length(bytes) FROM blob WHERE name = ?').pluck()
  const sums = db.prepare<[], { count: bigint; bytes: bigint }>(
    'SELECT count(*) AS count, coalesce(sum(length(bytes)), 0) AS bytes FROM blob',
  )
  const all = db.prepare<[], { name: string; bytes: Uint8Array }>(
    'SELECT lower(hex(name)) AS name, bytes FROM blob',
  )
  const write = (blobs: readonly NamedBlob[]) => {
    for (const { name, bytes } of blobs) upsert.run(Buffer.from(name, 'hex'), bytes)
  }
  const putUnsynced = db.transaction(write)
  const version = db.pragma('user_version', { simple: true })
  const put = db.transaction((blobs: readonly NamedBlob[]) => {
    write(blobs)
    // Writes a page: a commit of none, as of bytes that are there already, syncs nothing.
    db.pragma(`user_version = ${version}`)
  })
  const deleteOne = db.prepare('DELETE FROM blob WHERE name = ?')
  const remove = db.transaction((names: readonly string[]) => {
    for (const name of names) deleteOne.run(Buffer.from(name, 'hex'))
  })
  return {
    put: (blobs) => put.immediate(blobs),
    putUnsynced: (blobs) => unsynced(db, () => putUnsynced.immediate(blobs)),
    get: (name) => select.get(Buffer.from(name, 'hex')) ?? null,
    sizeBytes(name) {
      const size = selectSize.get(Buffer.from(name, 'hex'))
      return size === undefined ? null : Number(size)
    },
    together: (read) => db.transaction(read).deferred(),
    remove: (names) => remove.immediate(names),
    totals() {
      const { count = 0n, bytes = 0n } = sums.get() ?? {}
      return { count: Number(count), bytes: Number(bytes) }
    },
    each: () => all.iterate(),
    close: () => void db.close(),
  }
}
