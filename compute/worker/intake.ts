import { setTimeout as sleep } from 'node:timers/promises'
import type { Bell } from './bell.ts'
import type { FinishedRun, Spool } from './spool.ts'

/**
 * Under load, runs gather for nine times as long as the last commit took: a tenth of the time goes to flushing the disk at most,
 * however slow it is. The first after a pause goes at once, since its requester waits.
 */
const REST_PER_COMMIT = 9
const MAX_REST_MS = 20

/** Puts finished runs on the disk, whatever becomes of those before them: an outage costs no work when the power goes too. */
export interface Intake {
  add(run: FinishedRun): void
  /** What is not on the disk yet. */
  backlog(): { receipts: number; bytes: number }
  /** All of it to the disk, now. */
  flush(): void
  /** Until `isDone()` at a ring of the bell. */
  run(isDone: () => boolean): Promise<void>
}

export function createIntake(o: {
  spool: Spool
  bell: Bell
  /** Row ids of what has reached the disk. */
  onSpooled: (ids: readonly number[]) => void
}): Intake {
  const fresh: FinishedRun[] = []

  function flush(): void {
    if (fresh.length === 0) return
    const ids = o.spool.append(fresh)
    fresh.length = 0
    o.onSpooled(ids)
  }

  return {
    add(run) {
      fresh.push(run)
      o.bell.ring()
    },
    backlog: () => ({
      receipts: fresh.length,
      bytes: fresh.reduce((sum, { outputs }) => sum + outputs.length, 0),
    }),
    flush,
    async run(isDone) {
      while (!isDone()) {
        if (fresh.length === 0) await o.bell.wait()
        else {
          const startedMs = performance.now()
          flush()
          await sleep(Math.min(MAX_REST_MS, REST_PER_COMMIT * (performance.now() - startedMs)))
        }
      }
    },
  }
}
