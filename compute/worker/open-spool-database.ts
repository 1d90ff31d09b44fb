import { mkdirSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import Database from 'better-sqlite3'
import { SpoolError } from './spool-error.ts'

const schema = readFileSync(new URL('./spool-schema.sql', import.meta.url), 'utf8')

/**
 * A file that this process alone holds, until it ends in whatever way, and whose commits are on the disk when they
 * return. Beside it lies the one write-ahead log of all that time, `-wal`. Throws SpoolError.
 */
export function openSpoolDatabase(path: string): Database.Database {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const db = openFile(path)
  try {
    // Two processes on one key would fork its chain of submissions. In this mode the first write takes the file for good.
    db.pragma('locking_mode = EXCLUSIVE')
    db.pragma('journal_mode = WAL')
    db.pragma('synchronous = FULL')
    db.transaction(() => db.exec(schema)).exclusive()
    return db
  } catch (cause) {
    db.close()
    throw toSpoolError(path, cause)
  }
}

function openFile(path: string): Database.Database {
  try {
    return new Database(path, { timeout: 0 })
  } catch (cause) {
    throw toSpoolError(path, cause)
  }
}

function toSpoolError(path: string, cause: unknown): unknown {
  if (!(cause instanceof Database.SqliteError)) return cause
  if (cause.code.startsWith('SQLITE_BUSY')) {
    return new SpoolError('spool_in_use', `${path} is held by another process of this worker`, { cause })
  }
  return new SpoolError('spool_unreadable', `${path}: ${cause.message}`, { cause })
}
