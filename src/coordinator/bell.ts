/** Lets long polls wait for "there may be work": a ring wakes everyone who waits, once. */
export interface Bell {
  ring(): void
  /** Resolves at the next ring, after `waitMs`, or when `signal` aborts; never rejects. */
  wait(waitMs: number, signal?: AbortSignal): Promise<void>
}

export function createBell(): Bell {
  const sleepers = new Set<() => void>()
  return {
    ring() {
      for (const wake of [...sleepers]) wake()
    },
    wait(waitMs, signal) {
      return new Promise((resolve) => {
        const wake = () => {
          clearTimeout(timer)
          sleepers.delete(wake)
          signal?.removeEventListener('abort', wake)
          resolve()
        }
        const timer = setTimeout(wake, waitMs)
        sleepers.add(wake)
        signal?.addEventListener('abort', wake)
        if (signal?.aborted === true) wake()
      })
    },
  }
}
