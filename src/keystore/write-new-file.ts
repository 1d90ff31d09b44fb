import { randomBytes } from 'node:crypto'
import { link, open, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { KeystoreError } from './keystore-error.ts'

/** Owner only: the passphrase is the second lock, not the first. */
const MODE = 0o600

/**
 * Writes the whole file or nothing, durable when it returns; false when `path` is taken.
 * The written file gets its name by link(2), which fails where rename(2) would replace a keystore made meanwhile.
 */
export async function writeNewFile(path: string, text: string): Promise<boolean> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`
  try {
    try {
      await writeDurably(temporary, text)
      await link(temporary, path)
    } finally {
      await rm(temporary, { force: true })
    }
    await syncDirectory(dirname(path))
    return true
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'EEXIST') return false
    throw new KeystoreError('keystore_unwritable', `${path} can't be written`, cause)
  }
}

async function writeDurably(path: string, text: string): Promise<void> {
  await using file = await open(path, 'wx', MODE)
  await file.writeFile(text)
  await file.sync()
}

async function syncDirectory(path: string): Promise<void> {
  await using directory = await open(path, 'r')
  await directory.sync()
}
