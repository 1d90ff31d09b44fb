import type { Bell } from './bell.ts'
import type { Spool } from './spool.ts'

/** Brings the spool to the disk beside everything else, so that no requester waits for it. */
interface SpoolSync {
  /** For what has been appended by now. */
  ask(): void
  /** Until `isDone()` at a ring of the bell. Throws SpoolError. */
  run(isDone: () => boolean): Promise<void>
}

export function createSpoolSync(o: { spool: Pick<Spool, 'sync'>; bell: Bell }): SpoolSync {
  // A process that was killed may have left what no disk has yet.
  let isAsked = true

  function syncAll(): Promise<void> {
    isAsked = false
    return o.spool.sync()
  }

  return {
    ask() {
      isAsked = true
      o.bell.ring()
    },
    async run(isDone) {
      // While one sync is under way, what the next one is for gathers.
      while (!isDone()) await (isAsked ? syncAll() : o.bell.wait())
    },
  }
}
