import type { Database } from 'better-sqlite3'
import { RefusedError } from './refused-error.ts'

/**
 * Receipts that may wait for settlement: one transaction settles those of an epoch, and all else waits for it. As many, all
 * bought, take 4.9 to 8.3 s of the processor (load 5 to 18), 0.04 ms each: less than requesters wait by default. They take
 * 0.9 to 1.1 GB of memory.
 */
export const MAX_UNSETTLED_RECEIPTS = 200_000
/** From here on no work is given out: what is under way must still find its place. */
export const MAX_UNSETTLED_WHEN_LEASING = 150_000
/** They are counted in milliseconds, and requests may come in thousands a second. */
const COUNT_EVERY_MS = 2_000

export interface UnsettledWatch {
  /** Throws RefusedError 503 `log_full` while too many receipts wait for more work to begin. */
  assertLeasable(): void
  /** Throws the same where `receipts` more are too many; else takes them to be coming. */
  take(receipts: number): void
}

/** Between two counts only what comes is added: settlement can but make it less. */
export function openUnsettledWatch(db: Database): UnsettledWatch {
  const count = db.prepare<[], bigint>('SELECT count(*) FROM receipt WHERE reason IS NULL').pluck()
  let countedMs = Number.NEGATIVE_INFINITY
  let unsettled = 0

  function assertBelow(limit: number, more: number): void {
    const nowMs = Date.now()
    if (nowMs - countedMs >= COUNT_EVERY_MS) {
      unsettled = Number(count.get())
      countedMs = nowMs
    }
    if (unsettled + more <= limit) return
    throw new RefusedError(
      503,
      'log_full',
      `${unsettled} receipts wait for settlement: more are taken after the next`,
    )
  }

  return {
    assertLeasable: () => assertBelow(MAX_UNSETTLED_WHEN_LEASING, 1),
    take(receipts) {
      assertBelow(MAX_UNSETTLED_RECEIPTS, receipts)
      unsettled += receipts
    },
  }
}
