import { setTimeout as delay } from 'node:timers/promises'
import Database from 'better-sqlite3'
import type { Watch } from './progress.ts'
import { RegtestError } from './regtest-error.ts'

const POLL_MS = 100
/** Longer than the longest download that another holder may be in. */
const LOCK_TIMEOUT_MS = 15 * 60_000

/**
 * Runs the action while no other process or caller holds the lock file. The lock is SQLite's write lock: the
 * operating system drops it when its holder dies, so there is no stale lock to judge, as with a file of our own.
 * Throws RegtestError `cache_lock_timeout`.
 */
export async function withCacheLock<T>(lockFile: string, watch: Watch, action: () => Promise<T>): Promise<T> {
  const lock = new Database(lockFile, { timeout: 0 })
  try {
    const deadline = Date.now() + LOCK_TIMEOUT_MS
    while (!tryLock(lock)) {
      if (Date.now() > deadline) {
        throw new RegtestError('cache_lock_timeout', `another process still holds ${lockFile}`)
      }
      watch.onProgress?.({ step: 'lock', detail: 'another process is fetching bitcoind' })
      await delay(POLL_MS, undefined, { signal: watch.signal })
    }
    return await action()
  } finally {
    lock.close()
  }
}

function tryLock(lock: Database.Database): boolean {
  try {
    lock.exec('BEGIN EXCLUSIVE')
    return true
  } catch (error) {
    if (error instanceof Database.SqliteError && error.code.startsWith('SQLITE_BUSY')) return false
    throw error
  }
}
