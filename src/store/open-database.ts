import Database from 'better-sqlite3'
import { FIRST_VERSION, migrate } from './migrate.ts'
import { StoreError } from './store-error.ts'

/** "ASY1" in SQLite's `application_id`: tells our file from any other SQLite database. */
const APPLICATION_ID = 0x41535931

/** One process writes; others (a backup, a shell) read and may hold the lock this long. */
const BUSY_TIMEOUT_MS = 5_000

/**
 * 16 MB that the write-ahead log takes before they go into the file: what changes often goes there once for many commits, where
 * SQLite's own 1,000 pages are passed at each batch of work. All of it is synced either way, and read again after a crash.
 */
const CHECKPOINT_PAGES = 4_000

/** `PRAGMA synchronous` reads back as a number; 2 is FULL. */
const SYNCHRONOUS_FULL = 2n

/**
 * Opens or creates Assay's database. What a transaction has committed is on the disk when `COMMIT` returns.
 * An older file's tables are brought to this version first, after a copy of it.
 * Every INTEGER comes back as bigint, since sums of millisatoshis pass 2^53. Write with `transaction(…).immediate()`.
 *
 * @param migrations what leads from each version of the tables (SQLite's `user_version`) to the next, from 1 on
 * @throws StoreError
 */
export function openDatabase(path: string, migrations: readonly string[] = []): Database.Database {
  const db = openFile(path)
  try {
    db.defaultSafeIntegers(true)
    const version = claimFile(db, FIRST_VERSION + migrations.length)
    makeDurable(db)
    if (version < FIRST_VERSION + migrations.length) migrate(db, version, migrations)
    db.pragma('foreign_keys = ON')
    return db
  } catch (error) {
    db.close()
    if (error instanceof Database.SqliteError) throw unreadable(path, error)
    throw error
  }
}

/** Runs `schemaSql`, whose statements are all `CREATE … IF NOT EXISTS`, as one transaction. */
export function applySchema(db: Database.Database, schemaSql: string): void {
  db.transaction(() => db.exec(schemaSql)).immediate()
}

function openFile(path: string): Database.Database {
  try {
    return new Database(path, { timeout: BUSY_TIMEOUT_MS })
  } catch (cause) {
    throw unreadable(path, cause)
  }
}

function unreadable(path: string, cause: unknown): StoreError {
  return new StoreError('database_unreadable', `cannot open the database ${path}`, { cause })
}

/** @returns the version of its tables */
function claimFile(db: Database.Database, newest: number): number {
  const claim = db.transaction(() => {
    if (db.prepare('SELECT count(*) FROM sqlite_schema').pluck().get() === 0n) {
      db.pragma(`application_id = ${APPLICATION_ID}`)
      db.pragma(`user_version = ${newest}`)
    }
    if (readPragma(db, 'application_id') !== BigInt(APPLICATION_ID)) {
      throw new StoreError('database_foreign', `${db.name} is not an Assay database`)
    }
    const version = Number(readPragma(db, 'user_version'))
    if (version > newest || version < FIRST_VERSION) {
      throw new StoreError(
        'schema_newer',
        `${db.name} has schema version ${version}; this Assay knows ${newest}: update Assay`,
      )
    }
    return version
  })
  return claim.immediate()
}

function makeDurable(db: Database.Database): void {
  db.pragma('journal_mode = WAL')
  db.pragma('synchronous = FULL')
  // On macOS fsync leaves data in the drive's cache; elsewhere SQLite ignores this.
  db.pragma('fullfsync = ON')
  db.pragma(`wal_autocheckpoint = ${CHECKPOINT_PAGES}`)
  // better-sqlite3 is compiled with WAL's default at NORMAL, and SQLite keeps the old mode silently
  // where it can't have WAL: so both are read back.
  const journalMode = readPragma(db, 'journal_mode')
  const synchronous = readPragma(db, 'synchronous')
  if (journalMode !== 'wal' || synchronous !== SYNCHRONOUS_FULL) {
    throw new StoreError(
      'durability_refused',
      `${db.name} runs with journal_mode ${journalMode}, synchronous ${synchronous}; wal and 2 (FULL) are needed`,
    )
  }
}

function readPragma(db: Database.Database, name: string): unknown {
  return db.pragma(name, { simple: true })
}
