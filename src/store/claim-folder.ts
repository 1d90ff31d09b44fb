import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { StoreError } from './store-error.ts'

/**
 * Holds a data folder for this process alone, until released or until the process ends, however it ends: an exclusive
 * SQLite transaction is a lock of the operating system's, which kill -9 lets go of. Two coordinators on one database
 * would both anchor and pay.
 *
 * @throws StoreError `folder_in_use`
 */
export function claimFolder(folder: string): () => void {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const lock = new Database(join(folder, 'lock.sqlite'), { timeout: 0 })
  try {
    lock.exec('BEGIN EXCLUSIVE')
  } catch (cause) {
    lock.close()
    throw new StoreError('folder_in_use', `${folder} is in use by another coordinator`, { cause })
  }
  return () => void lock.close()
}
