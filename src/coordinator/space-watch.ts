import type { BlobStore } from '../blobs/blob-store.ts'
import { RefusedError } from './refused-error.ts'

/** Receipts and entries, and what is under way, must still fit beside the outputs of all that is leased. */
export const MIN_FREE_BYTES = 1024 ** 3
/** Leases may come in thousands a second; a disk doesn't fill that fast. */
const CHECK_EVERY_MS = 2_000

/**
 * Sets room aside for outputs that are to come. @param leasedBytes what those of all leased jobs may need
 *
 * @returns takes the bytes of further jobs: how many of them, from the first on, find room. Throws RefusedError 503 `space_short`
 * where none of them does.
 */
export function createSpaceWatch(
  blobs: Pick<BlobStore, 'freeBytes'>,
  leasedBytes: () => number,
): (outputBytes: readonly number[]) => number {
  let checkedMs = Number.NEGATIVE_INFINITY
  let spareBytes = 0

  return (outputBytes) => {
    const nowMs = Date.now()
    const neededBytes = outputBytes.reduce((sum, bytes) => sum + bytes, 0)
    if (nowMs - checkedMs >= CHECK_EVERY_MS || neededBytes > spareBytes) {
      spareBytes = blobs.freeBytes() - leasedBytes() - MIN_FREE_BYTES
      checkedMs = nowMs
    }
    let count = 0
    for (const bytes of outputBytes) {
      if (bytes > spareBytes) break
      spareBytes -= bytes
      count += 1
    }
    if (count === 0 && outputBytes.length > 0) {
      throw new RefusedError(
        503,
        'space_short',
        'the disk is almost full: no work is given out until there is room for its outputs',
      )
    }
    return count
  }
}
