import { hash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { SMALL_BLOBS } from '../blobs/blob-folder.ts'
import { openSmallBlobs } from '../blobs/small-blobs.ts'
import { BackupError } from './backup-error.ts'
import { blobPaths, copyBlobs } from './copy-blobs.ts'
import { examineDatabase } from './copy-database.ts'
import { copyDurably } from './copy-file.ts'
import { hashFile } from './hash-file.ts'
import { MANIFEST, type Manifest, parseManifest } from './manifest.ts'
import { writeWholeFolder } from './whole-folder.ts'

export interface RestoreOptions {
  /** What takeBackup wrote. */
  readonly from: string
  /** The data folder to be; nothing may be there. */
  readonly to: string
  readonly onProgress: (blobs: number, of: number) => void
}

/**
 * Makes a data folder of a backup, each byte of which is checked on the way. Whether the log has grown since, no backup can tell:
 * that is for whoever starts a coordinator on it. Throws BackupError, and the system's errors.
 */
export async function restoreBackup({ from, to, onProgress }: RestoreOptions): Promise<Manifest> {
  const manifest = readManifest(from)
  await writeWholeFolder(to, async (folder) => {
    for (const [name, digest] of Object.entries(manifest.files)) {
      assertThere(from, name)
      await copyDurably(join(from, name), join(folder, name))
      if ((await hashFile(join(folder, name))) !== digest) {
        throw new BackupError('backup_corrupt', `${name} is not the file that was backed up`)
      }
    }
    checkLog(join(folder, 'assay.sqlite'), manifest)
    assertThere(from, 'blobs')
    const { count } = await copyBlobs(join(from, 'blobs'), join(folder, 'blobs'), () => undefined)
    if (count !== manifest.blobs.count) {
      throw new BackupError('backup_corrupt', `${count} blobs of ${manifest.blobs.count} are there`)
    }
    await checkBlobs(join(folder, 'blobs'), onProgress)
  })
  return manifest
}

function readManifest(folder: string): Manifest {
  const path = join(folder, MANIFEST)
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (cause) {
    throw new BackupError('backup_malformed', `${path} can't be read: ${folder} is no backup`, { cause })
  }
  return parseManifest(text)
}

function assertThere(folder: string, name: string): void {
  if (!existsSync(join(folder, name)))
    throw new BackupError('backup_corrupt', `${name} is missing in ${folder}`)
}

function checkLog(database: string, { log }: Manifest): void {
  const { size, root } = examineDatabase(database)
  if (size !== log.size || root !== log.root) {
    throw new BackupError('backup_corrupt', `the database holds another log than ${MANIFEST} says`)
  }
}

/** A blob's name is its hash. */
async function checkBlobs(folder: string, onProgress: RestoreOptions['onProgress']): Promise<void> {
  const paths = blobPaths(folder)
  for (const [done, path] of paths.entries()) {
    if ((await hashFile(join(folder, path))) !== basename(path)) {
      throw new BackupError('backup_corrupt', `blob ${basename(path)} has another hash`)
    }
    onProgress(done + 1, paths.length)
  }
  const small = openSmallBlobs(join(folder, SMALL_BLOBS))
  try {
    for (const { name, bytes } of small.each()) {
      if (hash('sha256', bytes) !== name) {
        throw new BackupError('backup_corrupt', `blob ${name} has another hash`)
      }
    }
  } finally {
    small.close()
  }
}
