import { hex } from '../../compute/work/hex.ts'
import { sha256 } from '../../compute/work/tagged-hash.ts'
import { MAX_BLOB_BYTES } from '../blobs/blob-store.ts'
import { askCoordinator, ClientError } from '../client/ask-coordinator.ts'
import { MonitorError } from '../monitor/monitor-error.ts'
import { readBounded } from '../monitor/read-bounded.ts'
import type { ReplaySource } from './replay-source.ts'

type ReadBlob = ReplaySource['blob']

const AS_GOOD_AS_NONE = new Set(['answer_too_large', 'blob_private'])

/** Those that a coordinator serves. Other bytes under a name, bytes without end, and private ones, are as good as none. Throws ClientError. */
export function blobsAtUrl(url: string, maxBytes = MAX_BLOB_BYTES): ReadBlob {
  return async (digest) => {
    try {
      const bytes = await readBounded(await askCoordinator(url, `/blobs/${hex(digest)}`), maxBytes)
      return Buffer.compare(sha256(bytes), digest) === 0 ? bytes : null
    } catch (error) {
      if (error instanceof ClientError && error.status === 404) return null
      if ((error instanceof ClientError || error instanceof MonitorError) && AS_GOOD_AS_NONE.has(error.code))
        return null
      throw error
    }
  }
}
