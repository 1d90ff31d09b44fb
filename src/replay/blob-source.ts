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
