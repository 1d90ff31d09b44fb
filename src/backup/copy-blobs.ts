import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { SMALL_BLOBS, syncFolder } from '../blobs/blob-folder.ts'
import { openSmallBlobs } from '../blobs/small-blobs.ts'
import { copyDatabase } from './copy-database.ts'
import { linkOrCopy } from './copy-file.ts'

export interface CopiedBlobs {
  readonly count: number
  readonly bytes: number
  /** Of `count`, those that are hard links: on the disk, not beside it. */
  readonly linked: number
}

/** A blob store's folders and names (blob-folder.ts); `tmp/` is nobody's yet. */
const FOLDER_NAME = /^[0-9a-f]{2}$/
const BLOB_NAME = /^[0-9a-f]{64}$/

/** Every blob under `from` that is a file, as `<folder>/<name>`. */
export function blobPaths(from: string): string[] {
  return readdirSync(from)
    .filter((folder) => FOLDER_NAME.test(folder))
    .flatMap((folder) =>
      readdirSync(join(from, folder))
        .filter((name) => BLOB_NAME.test(name))
        .map((name) => join(folder, name)),
    )
}

/** Links or copies every blob; `to` must not be there. A blob's bytes never change, so a store in use is copied as well. Throws BackupError. */
export async function copyBlobs(
  from: string,
  to: string,
  onProgress: (done: number, of: number) => void,
): Promise<CopiedBlobs> {
  const paths = blobPaths(from)
  const folders = new Set(paths.map((path) => join(to, path.slice(0, 2))))
  mkdirSync(to, { mode: 0o700 })
  for (const folder of folders) mkdirSync(folder)
  const small = await copySmall(join(from, SMALL_BLOBS), join(to, SMALL_BLOBS))
  let { bytes } = small
  let linked = 0
  let collected = 0
  for (const [done, path] of paths.entries()) {
    const isLink = await linkUnlessGone(join(from, path), join(to, path))
    if (isLink === null) collected += 1
    else bytes += statSync(join(to, path)).size
    linked += isLink === true ? 1 : 0
    onProgress(done + 1, paths.length)
  }
  for (const folder of [...folders, to]) syncFolder(folder)
  return { count: paths.length - collected + small.count, bytes, linked }
}

/** Null for one that a store in use has collected meanwhile. */
async function linkUnlessGone(from: string, to: string): Promise<boolean | null> {
  try {
    return await linkOrCopy(from, to)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT' && !existsSync(from)) return null
    throw error
  }
}

async function copySmall(from: string, to: string): Promise<{ count: number; bytes: number }> {
  if (!existsSync(from)) return { count: 0, bytes: 0 }
  await copyDatabase(from, to)
  const copy = openSmallBlobs(to)
  try {
    return copy.totals()
  } finally {
    copy.close()
  }
}
