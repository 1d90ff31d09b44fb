import type { EventEmitter } from 'node:events'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Bell } from '../coordinator/bell.ts'

/**
 * A long poll: asks `take` now and at each ring until it gives something, `waitMs` is over, the client has left, or `ended`
 * aborts. What is taken for a client that has left is lost to it, so `take` is not called again then.
 */
export async function untilSome<T>(
  bell: Bell,
  response: EventEmitter,
  waitMs: number,
  take: () => T[],
  ended?: AbortSignal,
): Promise<T[]> {
  const left = new AbortController()
  response.once('close', () => left.abort())
  ended?.addEventListener('abort', () => left.abort(), { once: true })
  const endMs = Date.now() + waitMs
  for (;;) {
    const taken = take()
    const restMs = endMs - Date.now()
    if (taken.length > 0 || restMs <= 0) return taken
    await bell.wait(restMs, left.signal)
    // What comes in the same turn of the event loop goes along: one commit for all of it.
    await nextTurn()
    if (left.signal.aborted) return []
  }
}
