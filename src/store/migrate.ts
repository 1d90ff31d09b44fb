import { renameSync, rmSync } from 'node:fs'
import type { Database } from 'better-sqlite3'

/** Of a file whose tables were never changed. */
export const FIRST_VERSION = 1

/**
 * Runs what leads from `version` to the newest in one transaction, after a copy of the whole file as it was beside it
 * (`<file>.v<version>`): who wants the older program back takes that. A failure leaves the file as it was.
 */
export function migrate(db: Database, version: number, migrations: readonly string[]): void {
  const copy = `${db.name}.v${version}`
  // Aside first: a name never stands for half a copy.
  rmSync(`${copy}.part`, { force: true })
  db.prepare('VACUUM INTO ?').run(`${copy}.part`)
  renameSync(`${copy}.part`, copy)
  // A table that is made anew is dropped first, which its references must outlive (sqlite.org/lang_altertable.html, §7).
  db.pragma('foreign_keys = OFF')
  db.transaction(() => {
    for (const sql of migrations.slice(version - FIRST_VERSION)) db.exec(sql)
    const broken = db.prepare('PRAGMA foreign_key_check').all()
    if (broken.length > 0) throw new Error(`${broken.length} references are broken after the migration`)
    db.pragma(`user_version = ${FIRST_VERSION + migrations.length}`)
  }).immediate()
}
