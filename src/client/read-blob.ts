import { sha256 } from '../../compute/work/tagged-hash.ts'
import { askCoordinator, ClientError } from './ask-coordinator.ts'

/** A blob by its SHA-256. Throws ClientError; `blob_mismatch` where the bytes aren't the name's. */
export async function readBlob(url: string, digest: Uint8Array): Promise<Uint8Array> {
  const name = Buffer.from(digest).toString('hex')
  const bytes = new Uint8Array(await (await askCoordinator(url, `/blobs/${name}`)).arrayBuffer())
  if (Buffer.compare(sha256(bytes), digest) !== 0) {
    throw new ClientError('blob_mismatch', null, `what was sent for blob ${name} has another hash`)
  }
  return bytes
}
