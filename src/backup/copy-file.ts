import { constants } from 'node:fs'
import { copyFile, link, open } from 'node:fs/promises'

/** Durable when it resolves, but for the folder's own sync. Readable by its owner alone. Throws the system's error. */
export async function copyDurably(from: string, to: string): Promise<void> {
  await copyFile(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE)
  await using file = await open(to, 'r+')
  await file.chmod(0o600)
  await file.sync()
}

/** A hard link where both are on one file system: for files that are never written to again. @returns whether it is one. */
export async function linkOrCopy(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to)
    return true
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && NO_LINKS.has(`${error.code}`))) throw error
    await copyDurably(from, to)
    return false
  }
}

/** link(2): another file system; one without hard links; one where this file has too many; not the file's owner. */
const NO_LINKS = new Set(['EXDEV', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK', 'EPERM'])
