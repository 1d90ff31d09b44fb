import { mkdtempDisposableSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type Database from 'better-sqlite3'
import { openDatabase } from '../src/store/open-database.ts'

/** A database opened as the coordinator's is, in the system's temporary folder; disposing closes and removes it. */
export function openScratchDatabase(): Disposable & { readonly db: Database.Database } {
  const folder = mkdtempDisposableSync(join(tmpdir(), 'assay-bench-'))
  const db = openDatabase(join(folder.path, 'assay.db'))
  return {
    db,
    [Symbol.dispose]() {
      db.close()
      folder.remove()
    },
  }
}
