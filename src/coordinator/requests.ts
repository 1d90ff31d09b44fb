import type { Bell } from './bell.ts'
import type { MarketModel } from './market.ts'
import { RefusedError } from './refused-error.ts'

/** What a requester gets: the output bundle and the receipt's id, known before the worker signs (DESIGN §9). */
export interface Answer {
  readonly outputs: Uint8Array
  readonly receiptId: Uint8Array
}

/** A request on its way: in memory alone, because its requester waits on an open connection and asks again if that breaks. */
export interface PendingRequest extends MarketModel {
  readonly inputs: Uint8Array
  readonly items: number
  readonly requester: string
  readonly deadlineMs: number
  leases: number
  settle(outcome: { answer: Answer } | { error: RefusedError }): void
}

export interface RequestQueue {
  /** Resolves with the worker's answer; given up when `signal` aborts. Throws RefusedError: `queue_full`, `deadline_exceeded`, `request_failed`. */
  ask(request: Omit<PendingRequest, 'settle' | 'leases'>, signal?: AbortSignal): Promise<Answer>
  take(max: number): PendingRequest[]
  /** A lease was lost: to the head of the queue again, unless it has been tried too often. */
  putBack(request: PendingRequest, reason: string): void
  readonly length: number
  close(): void
}

/** Bound by memory: 4,096 requests of a typical few kB. */
const MAX_QUEUED_REQUESTS = 4_096
/** A request that three workers could not answer is at fault itself. */
const MAX_LEASES_PER_REQUEST = 3

export function openRequestQueue(bell: Bell): RequestQueue {
  const waiting: PendingRequest[] = []
  const open = new Set<PendingRequest>()

  function ask(request: Omit<PendingRequest, 'settle' | 'leases'>, signal?: AbortSignal): Promise<Answer> {
    if (open.size >= MAX_QUEUED_REQUESTS) {
      throw new RefusedError(
        429,
        'queue_full',
        `${MAX_QUEUED_REQUESTS} requests are under way; try again later`,
      )
    }
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () =>
          pending.settle({ error: new RefusedError(504, 'deadline_exceeded', 'no worker answered in time') }),
        Math.max(0, request.deadlineMs - Date.now()),
      )
      const pending: PendingRequest = {
        ...request,
        leases: 0,
        settle(outcome) {
          if (!open.delete(pending)) return
          // Nobody may ever take it: a queue of the settled would hold their inputs without limit.
          const place = waiting.indexOf(pending)
          if (place >= 0) waiting.splice(place, 1)
          clearTimeout(timer)
          signal?.removeEventListener('abort', leave)
          if ('error' in outcome) reject(outcome.error)
          else resolve(outcome.answer)
        },
      }
      const leave = () =>
        pending.settle({ error: new RefusedError(499, 'requester_left', 'the requester has left') })
      signal?.addEventListener('abort', leave)
      open.add(pending)
      waiting.push(pending)
      bell.ring()
      if (signal?.aborted === true) leave()
    })
  }

  return {
    ask,
    take(max) {
      const taken = waiting.splice(0, max)
      for (const request of taken) request.leases += 1
      return taken
    },
    putBack(request, reason) {
      if (!open.has(request)) return
      if (request.leases >= MAX_LEASES_PER_REQUEST) {
        request.settle({
          error: new RefusedError(502, 'request_failed', `${request.leases} workers failed: ${reason}`),
        })
        return
      }
      waiting.unshift(request)
      bell.ring()
    },
    get length() {
      return open.size
    },
    close() {
      for (const request of [...open]) {
        request.settle({ error: new RefusedError(503, 'shutting_down', 'the coordinator is shutting down') })
      }
    },
  }
}
