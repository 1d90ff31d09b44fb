import type { MarketModel } from '../subnet/markets.ts'
import type { Bell } from './bell.ts'
import type { Canary } from './canaries.ts'
import { RefusedError } from './refused-error.ts'

/** What a requester gets: outputs, the receipt's id, known before the worker signs (DESIGN §9), and what opens both. */
export interface Answer {
  readonly outputs: Uint8Array
  readonly receiptId: Uint8Array
  readonly job: Uint8Array
  readonly inputSalt: Uint8Array
  readonly outputSalt: Uint8Array
}

/** A request on its way: in memory alone, because its requester waits on an open connection and asks again if that breaks. */
export interface PendingRequest extends MarketModel {
  readonly inputs: Uint8Array
  readonly items: number
  readonly requester: string
  /** What it costs, as quoted; 0 where it is free. */
  readonly quoteMsat: bigint
  readonly deadlineMs: number
  /** Level 1 is taken before level 2, and so on; within one it is first come, first served. */
  readonly priority: number
  /** What makes it a canary: it is leased once. */
  readonly canary?: Canary
  /** Told each time that a worker is to be leased it. */
  readonly onTaken?: () => void
  /** Workers that lost it, by key in hex: none of them is asked again. */
  readonly failedBy: Set<string>
  settle(outcome: { answer: Answer } | { error: RefusedError }): void
}

type NewRequest = Omit<PendingRequest, 'settle' | 'failedBy'>

export interface RequestQueue {
  /** Resolves with the worker's answer; given up when `signal` aborts. Throws RefusedError: `queue_full`, `deadline_exceeded`, `request_failed`. */
  ask(request: NewRequest, signal?: AbortSignal): Promise<Answer>
  /** The first of those that this worker has not lost before: at most `max`, of `maxBytes` of inputs, but one in any case. */
  take(worker: string, max: number, maxBytes: number): PendingRequest[]
  /** Not leased after all, through no fault of the worker: to the head of its level again. */
  putBack(request: PendingRequest): void
  /** The worker lost its lease: to the head of its level again for others, unless too many have lost it. */
  lost(request: PendingRequest, worker: string, reason: string): void
  /** Quoted to this requester's requests that no worker has been leased yet: the ledger reserves those that one has. */
  heldMsat(requester: string): bigint
  /** Units of priced requests that nobody could take or answer, since it was last asked; forgotten at a restart. */
  takeUnserved(subnet: string): bigint
  readonly length: number
  close(): void
}

/** Bound by memory: 4,096 requests of a typical few kB. */
const MAX_QUEUED_REQUESTS = 4_096
/** A request that three workers could not answer is at fault itself; one worker alone can't make it fail. */
const MAX_FAILED_WORKERS = 3

export function openRequestQueue(bell: Bell): RequestQueue {
  const waiting: PendingRequest[] = []
  const open = new Set<PendingRequest>()
  const unserved = new Map<string, bigint>()

  function noteUnserved({ subnet: { name }, model, items, quoteMsat }: NewRequest): void {
    if (quoteMsat === 0n) return
    unserved.set(name, (unserved.get(name) ?? 0n) + BigInt(items) * BigInt(model.unitsPerItem))
  }

  function ask(request: NewRequest, signal?: AbortSignal): Promise<Answer> {
    if (open.size >= MAX_QUEUED_REQUESTS) {
      noteUnserved(request)
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
        failedBy: new Set(),
        settle(outcome) {
          if (!open.delete(pending)) return
          // Nobody may ever take it: a queue of the settled would hold their inputs without limit.
          const place = waiting.indexOf(pending)
          if (place >= 0) waiting.splice(place, 1)
          if ('error' in outcome && isUnserved(outcome.error)) noteUnserved(pending)
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
      insert(pending, (other) => other.priority > pending.priority)
      bell.ring()
      if (signal?.aborted === true) leave()
    })
  }

  /** Before the first that it is `before`, or at the end. */
  function insert(request: PendingRequest, before: (other: PendingRequest) => boolean): void {
    const place = waiting.findIndex(before)
    waiting.splice(place === -1 ? waiting.length : place, 0, request)
  }

  function take(worker: string, max: number, maxBytes: number): PendingRequest[] {
    const taken = new Set<PendingRequest>()
    let bytes = 0
    for (const request of waiting) {
      if (taken.size >= max) break
      if (request.failedBy.has(worker)) continue
      bytes += request.inputs.length
      if (taken.size > 0 && bytes > maxBytes) break
      taken.add(request)
    }
    for (const request of taken) {
      waiting.splice(waiting.indexOf(request), 1)
      request.onTaken?.()
    }
    return [...taken]
  }

  function putBack(request: PendingRequest): void {
    if (!open.has(request)) return
    insert(request, (other) => other.priority >= request.priority)
    bell.ring()
  }

  return {
    ask,
    take,
    putBack,
    lost(request, worker, reason) {
      request.failedBy.add(worker)
      const { canary, failedBy } = request
      if (canary === undefined && failedBy.size < MAX_FAILED_WORKERS) return putBack(request)
      request.settle({
        error: new RefusedError(502, 'request_failed', `${failedBy.size} workers failed: ${reason}`),
      })
    },
    heldMsat: (requester) =>
      waiting.reduce((sum, one) => (one.requester === requester ? sum + one.quoteMsat : sum), 0n),
    takeUnserved(subnet) {
      const units = unserved.get(subnet) ?? 0n
      unserved.delete(subnet)
      return units
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

/** Whether it was for want of workers, and not the requester's own doing. */
function isUnserved({ code }: RefusedError): boolean {
  return code === 'deadline_exceeded' || code === 'request_failed'
}
