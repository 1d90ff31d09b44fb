import type { BlobStore } from '../blobs/blob-store.ts'
import { RefusedError } from './refused-error.ts'

/** What is leased comes back as outputs, receipts and entries; those, and what is under way, must still fit. */
export const MIN_FREE_BYTES = 1024 ** 3
/** Leases may come in thousands a second; a disk doesn't fill that fast. */
const CHECK_EVERY_MS = 2_000

/** Throws RefusedError 503 `space_short` while the disk is too full for more work to begin. */
export function createSpaceWatch(blobs: Pick<BlobStore, 'freeBytes'>): () => void {
  let checkedMs = Number.NEGATIVE_INFINITY
  let freeBytes = 0
  return () => {
    const nowMs = Date.now()
    if (nowMs - checkedMs >= CHECK_EVERY_MS) {
      freeBytes = blobs.freeBytes()
      checkedMs = nowMs
    }
    if (freeBytes >= MIN_FREE_BYTES) return
    throw new RefusedError(
      503,
      'space_short',
      'the disk is almost full: no work is given out until there is room',
    )
  }
}
