import { ClientError } from '../client/ask-coordinator.ts'
import { readBlob } from '../monitor/read-blob.ts'
import type { ReplaySource } from './replay-source.ts'

const AS_GOOD_AS_NONE = new Set(['blob_mismatch', 'blob_private'])

/** Those that a coordinator serves. Other bytes under a name, too many, and private ones, are as good as none. Throws ClientError. */
export function blobsAtUrl(url: string): ReplaySource['blob'] {
  return async (digest, maxBytes) => {
    try {
      return await readBlob(url, digest, maxBytes)
    } catch (error) {
      if (!(error instanceof ClientError)) throw error
      if (error.status === 404 || AS_GOOD_AS_NONE.has(error.code)) return null
      throw error
    }
  }
}
