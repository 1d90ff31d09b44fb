import { closeSync, fdatasync, openSync } from 'node:fs'
import { promisify } from 'node:util'
import { SpoolError } from './spool-error.ts'

const syncFile = promisify(fdatasync)

/**
 * Brings to the disk, in another thread, what SQLite has written to this database's write-ahead log. Throws SpoolError
 * `spool_unwritable`.
 */
export async function syncWal(path: string): Promise<void> {
  try {
    // SQLite gives nobody its own descriptor. Closing this one drops no lock: those are on the database.
    const wal = openSync(`${path}-wal`, 'r+')
    await syncFile(wal).finally(() => closeSync(wal))
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message : String(cause)
    throw new SpoolError('spool_unwritable', `${path}: ${detail}`, { cause })
  }
}
