/** A job that runs again and again, one round at a time; kicks that come during a round share the next one. */
interface Repeating {
  /** Resolves when a round that began after this call is over, whether it failed or not. */
  kick(): Promise<void>
  /** Ends after the round in hand; idempotent. */
  close(): Promise<void>
}

/** A round that failed is tried again by itself: the cause may pass without a new block. */
const FIRST_RETRY_MS = 500
const MAX_RETRY_MS = 60_000

export function repeating(round: () => Promise<void>, onError: (error: unknown) => void): Repeating {
  let running: Promise<void> | null = null
  let next: Promise<void> | null = null
  let timer: NodeJS.Timeout | null = null
  let retryMs = FIRST_RETRY_MS
  let closed = false

  async function runOne(): Promise<void> {
    if (timer !== null) clearTimeout(timer)
    timer = null
    try {
      await round()
      retryMs = FIRST_RETRY_MS
    } catch (error) {
      onError(error)
      if (closed) return
      timer = setTimeout(() => void kick(), retryMs)
      retryMs = Math.min(2 * retryMs, MAX_RETRY_MS)
    }
  }

  function kick(): Promise<void> {
    if (closed) return Promise.resolve()
    if (running === null) {
      running = runOne().finally(() => {
        running = null
      })
      return running
    }
    next ??= running.then(() => {
      next = null
      return kick()
    })
    return next
  }

  return {
    kick,
    async close() {
      closed = true
      if (timer !== null) clearTimeout(timer)
      await running
    },
  }
}
