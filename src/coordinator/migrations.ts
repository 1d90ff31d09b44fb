import { join } from 'node:path'
import type { Database } from 'better-sqlite3'
import { openDatabase } from '../store/open-database.ts'

/**
 * What leads from each version of the coordinator's tables to the next, the first from 1 to 2; the last leads to what
 * coordinator-schema.sql has. Each is SQL that finds all tables as its version left them, and is never edited afterwards.
 */
export const MIGRATIONS: readonly string[] = [
  // Keys get roles, and stand in a table of their own.
  `CREATE TABLE api_key (
     role       TEXT    NOT NULL CHECK (role IN ('operator', 'read_only', 'requester')),
     name       TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
     key_hash   BLOB    NOT NULL UNIQUE CHECK (length(key_hash) = 32),
     created_ms INTEGER NOT NULL,
     PRIMARY KEY (role, name)
   ) STRICT;
   INSERT INTO api_key (role, name, key_hash, created_ms) SELECT 'requester', name, key_hash, 0 FROM requester;
   CREATE TABLE requester_next (
     number          INTEGER NOT NULL PRIMARY KEY CHECK (number > 0),
     name            TEXT    NOT NULL UNIQUE,
     deposit_address TEXT    NOT NULL UNIQUE,
     refund_address  TEXT    NOT NULL,
     entry_index     INTEGER NOT NULL UNIQUE
   ) STRICT;
   INSERT INTO requester_next SELECT number, name, deposit_address, refund_address, entry_index FROM requester;
   DROP TABLE requester;
   ALTER TABLE requester_next RENAME TO requester;`,
]

/** The one database of a data folder, brought to this program's version first. Throws StoreError. */
export function openSiteDatabase(dataDir: string): Database {
  return openDatabase(join(dataDir, 'assay.sqlite'), MIGRATIONS)
}
