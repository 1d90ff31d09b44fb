import { ClientError } from '../client/ask-coordinator.ts'
import { readBlob } from '../client/read-blob.ts'
import type { ReplaySource } from './replay-source.ts'

type ReadBlob = ReplaySource['blob']

const AS_GOOD_AS_NONE = new Set(['blob_mismatch', 'blob_private'])

/** Those that a coordinator serves. Other bytes under a name, and private ones, are as good as none. Throws ClientError. */
export function blobsAtUrl(url: string): ReadBlob {
  return async (digest) => {
    try {
      return await readBlob(url, digest)
    } catch (error) {
      if (error instanceof ClientError && (error.status === 404 || AS_GOOD_AS_NONE.has(error.code)))
        return null
      throw error
    }
  }
}
