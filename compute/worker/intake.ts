import type { Bell } from './bell.ts'
import type { FinishedRun, Spool } from './spool.ts'

/** What a run waits for company at most while those before it are on their way: a slow line or an outage must not keep it off the disk. */
const MAX_GATHER_MS = 20

/**
 * Puts finished runs into the spool, whatever becomes of those before them: an outage costs no work when the power
 * goes too, but for the milliseconds until they are synced. A requester may have an answer that goes then, and its
 * receipt never comes to the log.
 */
export interface Intake {
  add(run: FinishedRun): void
  /** What is not in the spool yet. */
  backlog(): { receipts: number; bytes: number }
  /** All of it into the spool, now. */
  flush(): void
  /** Until `isDone()` at a ring of the bell. */
  run(isDone: () => boolean): Promise<void>
}

/**
 * One commit for each request with results and no timer before it: at once where none is under way, since a requester waits;
 * where one is, whatever comes meanwhile gathers for the next.
 */
export function createIntake(o: {
  spool: Spool
  bell: Bell
  /** Nothing that is in the spool waits for the coordinator. */
  isSent: () => boolean
  /** Row ids of what has reached the spool. */
  onSpooled: (ids: readonly number[]) => void
}): Intake {
  const fresh: FinishedRun[] = []
  let oldestMs = 0

  function flush(): void {
    if (fresh.length === 0) return
    const ids = o.spool.append(fresh)
    fresh.length = 0
    o.onSpooled(ids)
  }

  return {
    add(run) {
      fresh.push(run)
      // What comes behind it changes nothing of what is to be done.
      if (fresh.length > 1) return
      oldestMs = performance.now()
      o.bell.ring()
    },
    backlog: () => ({
      receipts: fresh.length,
      bytes: fresh.reduce((sum, { outputs }) => sum + outputs.length, 0),
    }),
    flush,
    async run(isDone) {
      while (!isDone()) {
        const restMs = oldestMs + MAX_GATHER_MS - performance.now()
        if (fresh.length === 0) await o.bell.wait()
        else if (o.isSent() || restMs <= 0) flush()
        else await o.bell.wait(Math.ceil(restMs))
      }
    },
  }
}
