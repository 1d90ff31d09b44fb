import { existsSync } from 'node:fs'
import Database from 'better-sqlite3'
import { openLogRows } from '../log/log-rows.ts'
import { treeHash } from '../log/rfc6962.ts'
import { BackupError } from './backup-error.ts'

/** Pages of one step: all of them. In steps, SQLite begins anew whenever the coordinator writes in between (sqlite3_backup_step). */
const ALL_PAGES = 0x7fffffff

/**
 * Copies the database as of one moment, by SQLite's online backup: a coordinator that has it open goes on writing.
 * Throws BackupError `backup_source_missing`.
 */
export async function copyDatabase(from: string, to: string): Promise<void> {
  if (!existsSync(from)) throw new BackupError('backup_source_missing', `there is no database ${from}`)
  const db = new Database(from, { readonly: true })
  try {
    await db.backup(to, { progress: () => ALL_PAGES })
  } finally {
    db.close()
  }
}

/** Size and root (hex) of the log in a database that SQLite finds sound. Throws BackupError `backup_corrupt`. */
export function examineDatabase(path: string): { size: number; root: string } {
  const db = new Database(path, { fileMustExist: true })
  try {
    const found = db.pragma('quick_check(1)', { simple: true })
    if (found !== 'ok') throw new BackupError('backup_corrupt', `${path}: ${found}`)
    const { size, node } = openLogRows(db)
    return { size: size(), root: Buffer.from(treeHash(size(), node)).toString('hex') }
  } catch (cause) {
    if (cause instanceof BackupError) throw cause
    throw new BackupError('backup_corrupt', `${path} is no database of ours`, { cause })
  } finally {
    db.close()
  }
}
