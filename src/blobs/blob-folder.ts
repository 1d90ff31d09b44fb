import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { BlobError } from './blob-error.ts'

/** Names come from outside: with nothing but 64 hex digits in them, no path leads out of the folder. */
const BLOB_NAME = /^[0-9a-f]{64}$/

/** One folder for each first byte of a name keeps any one of them small for a million blobs. */
const FAN_OUT = 256

/** Far longer than any write takes, so what is older was left by a crash and belongs to no running process. */
const TEMPORARY_MAX_AGE_MS = 24 * 60 * 60 * 1000

/** Beside the files: the database of the small ones. */
export const SMALL_BLOBS = 'small.sqlite'

/** The layout of a blob store: `small.sqlite`, `<first byte>/<name>`, and `tmp/` on the same file system to rename from. */
export interface BlobFolder {
  readonly temporary: string
  /** Throws BlobError `blob_name_invalid`. */
  pathOf(name: string): string
}

/** Throws BlobError `blob_name_invalid`. */
export function checkBlobName(name: string): void {
  if (!BLOB_NAME.test(name))
    throw new BlobError('blob_name_invalid', 'a blob is named by 64 lowercase hex digits')
}

/** Makes the folders, durably, and sweeps what crashes left in `tmp/`. */
export function openBlobFolder(folder: string): BlobFolder {
  const temporary = join(folder, 'tmp')
  mkdirSync(temporary, { recursive: true })
  for (let byte = 0; byte < FAN_OUT; byte += 1) {
    mkdirSync(join(folder, byte.toString(16).padStart(2, '0')), { recursive: true })
  }
  syncFolder(folder)
  syncFolder(dirname(folder))
  for (const name of readdirSync(temporary)) {
    const path = join(temporary, name)
    const ageMs = Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now())
    if (ageMs > TEMPORARY_MAX_AGE_MS) rmSync(path, { force: true })
  }
  return {
    temporary,
    pathOf(name) {
      checkBlobName(name)
      return join(folder, name.slice(0, 2), name)
    },
  }
}

/** A new name in a folder is on the disk only once the folder itself is synced (fsync(2)). */
export function syncFolder(folder: string): void {
  const descriptor = openSync(folder, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
