/** Wakes whoever waits. Look at the state, then wait, without an `await` between: no ring is missed. */
export interface Bell {
  ring(): void
  /** Until the next ring, or until `timeoutMs` have passed. Throws the signal's reason. */
  wait(timeoutMs?: number): Promise<void>
}

/** @param signal ends all waiting */
export function createBell(signal: AbortSignal): Bell {
  let rung = Promise.withResolvers<void>()
  // Whoever waits meets the rejection; when nobody does, it is no failure.
  rung.promise.catch(() => {})
  signal.addEventListener('abort', () => rung.reject(signal.reason), { once: true })
  return {
    ring() {
      if (signal.aborted) return
      rung.resolve()
      rung = Promise.withResolvers()
      rung.promise.catch(() => {})
    },
    async wait(timeoutMs) {
      signal.throwIfAborted()
      if (timeoutMs === undefined) return rung.promise
      const { promise, resolve } = Promise.withResolvers<void>()
      const timer = setTimeout(resolve, timeoutMs)
      try {
        await Promise.race([rung.promise, promise])
      } finally {
        clearTimeout(timer)
      }
    },
  }
}
