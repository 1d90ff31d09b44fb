import assert from 'node:assert'
import { hash, randomUUID } from 'node:crypto'
import { readFileSync, renameSync, rmSync, statfsSync, statSync, writeFileSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { BlobError } from './blob-error.ts'
import { checkBlobName, openBlobFolder, SMALL_BLOBS, syncFolder } from './blob-folder.ts'
import { MAX_SMALL_BLOB_BYTES, type NamedBlob, openSmallBlobs, type SmallBlobs } from './small-blobs.ts'

/** What Node reads in one go, and what a protobuf (so an ONNX model) can have: 2 GiB less one byte. */
export const MAX_BLOB_BYTES = 2 ** 31 - 1

/** Offsets of the first byte and the last. */
interface ByteRange {
  readonly start: number
  readonly end: number
}

/**
 * Bytes named by their SHA-256 in lowercase hex. What `putSync` or `putMany` has returned is on the disk, so that a
 * log entry committed after it never names a blob that a crash took.
 */
export interface BlobStore {
  /** Throws BlobError `blob_too_large`, `blob_unwritable`. */
  putSync(bytes: Uint8Array): string
  /** As `putSync` for each, syncing once for all small ones. After a failure any of them may be there, whole. */
  putMany(blobs: readonly Uint8Array[]): string[]
  /**
   * As `putMany`, but named by who has just hashed them, none of them large beyond measure; small ones are on the disk only
   * when the next `putSync` or `putMany` has returned.
   */
  putUnsynced(blobs: readonly NamedBlob[]): void
  /** Null when absent. Throws BlobError `blob_corrupt` rather than give bytes that aren't the name's. */
  get(name: string): Uint8Array | null
  has(name: string): boolean
  /** Looks at the store once for all that `read` asks of it: locks cost as much as a small blob. */
  together<T>(read: () => T): T
  /** Null when absent. */
  sizeBytes(name: string): number | null
  /** Null when absent; `start` to `end` of it, both inclusive. The bytes are not checked on the way: who asked for a hash checks it. `body` must be used. */
  stream(name: string, range?: ByteRange): Promise<{ sizeBytes: number; body: Readable } | null>
  /** Those that are there; on the disk when it returns or not, so who may crash asks again. Throws BlobError `blob_unwritable`. */
  remove(names: readonly string[]): void
  /** What the file system still has for us. */
  freeBytes(): number
  /** Nothing more is asked of it. */
  close(): void
}

/**
 * Opens the blob store in `folder`, making it as needed. Several processes may share it.
 *
 * @throws BlobError `blob_unwritable`; and each method `blob_name_invalid` for a name that isn't one
 */
export function openBlobStore(folder: string): BlobStore {
  const { temporary, pathOf } = translating('blob_unwritable', () => openBlobFolder(folder))
  const small = translating('blob_unwritable', () => openSmallBlobs(join(folder, SMALL_BLOBS)))

  /** Write and sync aside, rename, sync the folders: a name never stands for half a blob. */
  function putFiles(blobs: readonly NamedBlob[]): void {
    const named = blobs.map((blob) => ({ ...blob, aside: join(temporary, randomUUID()) }))
    try {
      // What is there already is written again: its first writer may not have synced it yet, or the disk may have
      // lost bytes of it since.
      for (const { aside, bytes } of named) writeFileSync(aside, bytes, { flag: 'wx', flush: true })
      for (const { aside, name } of named) renameSync(aside, pathOf(name))
      for (const touched of new Set(named.map(({ name }) => dirname(pathOf(name))))) syncFolder(touched)
    } finally {
      for (const { aside } of named) rmSync(aside, { force: true })
    }
  }

  function putAll(named: readonly NamedBlob[], putSmall: SmallBlobs['put']): string[] {
    const [little, large] = [named.filter(isSmall), named.filter((blob) => !isSmall(blob))]
    // Even none: what was put unsynced before is on the disk then.
    putSmall(little)
    if (large.length > 0) putFiles(large)
    return named.map(({ name }) => name)
  }

  /** Null when it is no small one; most are, so these are looked at first. */
  function readSmall(name: string): Uint8Array | null {
    checkBlobName(name)
    return translating('blob_unreadable', () => small.get(name))
  }

  function sizeOf(name: string): number | null {
    checkBlobName(name)
    return small.sizeBytes(name) ?? statSync(pathOf(name), { throwIfNoEntry: false })?.size ?? null
  }

  return {
    putSync(bytes) {
      const [name] = translating('blob_unwritable', () => putAll([named(bytes)], small.put))
      assert(name !== undefined, 'one blob has one name')
      return name
    },

    putMany: (blobs) => translating('blob_unwritable', () => putAll(blobs.map(named), small.put)),
    putUnsynced: (blobs) => void translating('blob_unwritable', () => putAll(blobs, small.putUnsynced)),

    get(name) {
      const bytes = readSmall(name) ?? translating('blob_unreadable', () => readIfThere(pathOf(name)))
      if (bytes !== null && hash('sha256', bytes, 'hex') !== name) {
        throw new BlobError('blob_corrupt', `the stored bytes of blob ${name} have another hash`)
      }
      return bytes
    },

    has: (name) => sizeOf(name) !== null,
    together: small.together,
    sizeBytes: sizeOf,

    async stream(name, range) {
      const bytes = readSmall(name)
      if (bytes !== null) {
        const part = range === undefined ? bytes : bytes.subarray(range.start, range.end + 1)
        return { sizeBytes: bytes.length, body: Readable.from([part]) }
      }
      const file = await openIfThere(pathOf(name))
      if (file === null) return null
      // Size and bytes of one open file: a rename under the same name changes neither.
      return { sizeBytes: (await file.stat()).size, body: file.createReadStream(range) }
    },

    remove(names) {
      translating('blob_unwritable', () => {
        for (const name of names) rmSync(pathOf(name), { force: true })
        small.remove(names)
      })
    },

    close: small.close,

    freeBytes() {
      const { bavail, bsize } = statfsSync(folder)
      return bavail * bsize
    },
  }
}

function isSmall({ bytes }: NamedBlob): boolean {
  return bytes.length <= MAX_SMALL_BLOB_BYTES
}

function named(bytes: Uint8Array): NamedBlob {
  if (bytes.length > MAX_BLOB_BYTES) {
    throw new BlobError(
      'blob_too_large',
      `a blob of ${bytes.length} bytes; at most ${MAX_BLOB_BYTES} are kept`,
    )
  }
  return { name: hash('sha256', bytes, 'hex'), bytes }
}

function readIfThere(path: string): Uint8Array | null {
  try {
    return readFileSync(path)
  } catch (error) {
    if (isAbsent(error)) return null
    throw error
  }
}

async function openIfThere(path: string): Promise<FileHandle | null> {
  try {
    return await open(path)
  } catch (error) {
    if (isAbsent(error)) return null
    throw new BlobError('blob_unreadable', `cannot read ${path}`, { cause: error })
  }
}

function isAbsent(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}

function translating<T>(code: 'blob_unreadable' | 'blob_unwritable', action: () => T): T {
  try {
    return action()
  } catch (error) {
    if (error instanceof BlobError) throw error
    throw new BlobError(code, `blob store: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    })
  }
}
