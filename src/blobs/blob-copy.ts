import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { sha256 } from '../../compute/work/tagged-hash.ts'
import { SMALL_BLOBS } from './blob-folder.ts'
import { openSmallBlobs } from './small-blobs.ts'

/**
 * A copy of a coordinator's folder of blobs, read by digest: `<first byte>/<digest>`, in hex, and the database of the small
 * ones where it is there; that is closed with `held`. Null for what is absent or other bytes than its name's. Throws StoreError.
 */
export function blobsInFolder(
  folder: string,
  held: DisposableStack,
): (digest: Uint8Array) => Promise<Uint8Array | null> {
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
