import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { sha256 } from '../../compute/work/tagged-hash.ts'
import { SMALL_BLOBS } from '../blobs/blob-folder.ts'
import { openSmallBlobs } from '../blobs/small-blobs.ts'
import { ClientError } from '../client/ask-coordinator.ts'
import { readBlob } from '../client/read-blob.ts'
import type { ReplaySource } from './replay-source.ts'

type ReadBlob = ReplaySource['blob']

/** Those that a coordinator serves. Other bytes under a name are as good as none. Throws ClientError. */
export function blobsAtUrl(url: string): ReadBlob {
  return async (digest) => {
    try {
      return await readBlob(url, digest)
    } catch (error) {
      if (error instanceof ClientError && (error.status === 404 || error.code === 'blob_mismatch'))
        return null
      throw error
    }
  }
}

/**
 * A copy of a coordinator's folder of blobs: `<first byte>/<digest>`, in hex, and the database of the small ones where it
 * is there; that is closed with `held`. Throws StoreError.
 */
export function blobsInFolder(folder: string, held: DisposableStack): ReadBlob {
  const path = join(folder, SMALL_BLOBS)
  const small = existsSync(path) ? held.adopt(openSmallBlobs(path), (opened) => opened.close()) : null
  return async (digest) => {
    const name = Buffer.from(digest).toString('hex')
    try {
      const bytes = small?.get(name) ?? (await readFile(join(folder, name.slice(0, 2), name)))
      return Buffer.compare(sha256(bytes), digest) === 0 ? bytes : null
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
      throw error
    }
  }
}
