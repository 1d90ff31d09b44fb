import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type Database from 'better-sqlite3'
import { onTestFinished } from 'vitest'
import { openDatabase } from '../../../src/store/open-database.ts'

/** A database file of the test's own, removed when the test ends. */
export function temporaryDatabase(): { db: Database.Database; path: string } {
  const folder = mkdtempSync(join(tmpdir(), 'assay-ledger-'))
  const path = join(folder, 'assay.db')
  const db = openDatabase(path)
  onTestFinished(() => {
    db.close()
    rmSync(folder, { recursive: true })
  })
  return { db, path }
}
