import type { BlobStore } from '../blobs/blob-store.ts'
import { RefusedError } from './refused-error.ts'

/** Receipts and entries, and what is under way, must still fit beside the outputs of all that is leased. */
export const MIN_FREE_BYTES = 1024 ** 3
/** Leases may come in thousands a second, refused or not; a disk doesn't fill, nor empty, that fast. */
const CHECK_EVERY_MS = 2_000

export interface SpaceWatch {
  /** Those of further jobs that find room. Throws RefusedError 503 `space_short` where none does. */
  take<Job extends { readonly outputBytes: number }>(jobs: readonly Job[]): Job[]
  /** Whether jobs like those that last asked would find none. */
  isShort(): boolean
}

/** Sets room aside for outputs that are to come. @param leasedBytes what those of all leased jobs may need */
export function createSpaceWatch(blobs: Pick<BlobStore, 'freeBytes'>, leasedBytes: () => number): SpaceWatch {
  const measure = () => blobs.freeBytes() - leasedBytes() - MIN_FREE_BYTES
  let checkedMs = Number.NEGATIVE_INFINITY
  let spareBytes = 0
  /** What the least of those that last asked needs. */
  let neededBytes = 0

  function take<Job extends { readonly outputBytes: number }>(jobs: readonly Job[]): Job[] {
    if (jobs.length === 0) return []
    const nowMs = Date.now()
    if (nowMs - checkedMs >= CHECK_EVERY_MS) {
      spareBytes = measure()
      checkedMs = nowMs
    }
    neededBytes = Math.min(...jobs.map(({ outputBytes }) => outputBytes))
    const fitting = jobs.filter(({ outputBytes }) => {
      if (outputBytes > spareBytes) return false
      spareBytes -= outputBytes
      return true
    })
    if (fitting.length === 0) {
      throw new RefusedError(
        503,
        'space_short',
        'the disk is almost full: no work is given out until there is room for its outputs',
      )
    }
    return fitting
  }

  return { take, isShort: () => measure() < neededBytes }
}
