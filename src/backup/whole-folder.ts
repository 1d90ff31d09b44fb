import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { syncFolder } from '../blobs/blob-folder.ts'
import { BackupError } from './backup-error.ts'

/**
 * Has `fill` write a new folder beside `target` and gives it that name when all of it is on the disk: what stands there is whole.
 * Throws BackupError `backup_target_exists`.
 */
export async function writeWholeFolder<T>(target: string, fill: (folder: string) => Promise<T>): Promise<T> {
  const path = resolve(target)
  assertFree(path)
  const parent = dirname(path)
  mkdirSync(parent, { recursive: true })
  const partial = join(parent, `.${basename(path)}.${randomBytes(6).toString('hex')}.partial`)
  mkdirSync(partial, { mode: 0o700 })
  try {
    const result = await fill(partial)
    syncFolder(partial)
    // rename(2) replaces an empty folder: one that came meanwhile is somebody's, too.
    assertFree(path)
    renameSync(partial, path)
    syncFolder(parent)
    return result
  } catch (error) {
    rmSync(partial, { recursive: true, force: true })
    throw error
  }
}

function assertFree(path: string): void {
  if (!existsSync(path)) return
  throw new BackupError('backup_target_exists', `${path} is there already: name a folder that isn't`)
}
