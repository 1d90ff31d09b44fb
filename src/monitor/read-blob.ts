import { hex } from '../../compute/work/hex.ts'
import { sha256 } from '../../compute/work/tagged-hash.ts'
import { MAX_BUNDLE_BYTES } from '../../compute/work/tensor-bundle.ts'
import { askCoordinator, ClientError } from '../client/ask-coordinator.ts'
import { MonitorError } from './monitor-error.ts'
import { readBounded } from './read-bounded.ts'

/**
 * A blob by its SHA-256; nothing but a model is longer than a bundle may be. Throws ClientError; `blob_mismatch` where the
 * bytes aren't the name's or are more than `maxBytes`, `blob_cut_off` where they end midway or not in time.
 */
export async function readBlob(
  url: string,
  digest: Uint8Array,
  maxBytes = MAX_BUNDLE_BYTES,
): Promise<Uint8Array> {
  const name = hex(digest)
  const response = await askCoordinator(url, `/blobs/${name}`)
  const bytes = await readBounded(response, maxBytes).catch((cause) => {
    if (cause instanceof MonitorError) throw new ClientError('blob_mismatch', null, cause.message, cause)
    throw new ClientError('blob_cut_off', null, `${url} breaks off sending blob ${name}`, cause)
  })
  if (Buffer.compare(sha256(bytes), digest) !== 0) {
    throw new ClientError('blob_mismatch', null, `what was sent for blob ${name} has another hash`)
  }
  return bytes
}
