import { hex } from '../../compute/work/hex.ts'
import type { Books } from './books.ts'
import type { Charges } from './charges.ts'
import type { PendingRequest, RequestQueue } from './requests.ts'

/** Leases that come to nothing, and the requests that wait on those that may. */
interface LostLeases {
  /** By the job's id. */
  wait(id: Uint8Array, leased: LeasedRequest): void
  requestOf(job: Uint8Array): LeasedRequest | null
  forget(job: Uint8Array): void
  /** @returns how many were this worker's and not answered yet */
  fail(worker: Uint8Array, failures: readonly { job: Uint8Array; reason: string }[]): number
  expire(nowMs: number): number
}

/** A request, and the job that answers it. */
export interface LeasedRequest {
  readonly request: PendingRequest
  readonly job: Uint8Array
  readonly inputSalt: Uint8Array
}

interface LostLease {
  readonly job: Uint8Array
  readonly worker: Uint8Array
  readonly reason: string
}

export function openLostLeases(
  books: Books,
  { requests, charges }: { requests: RequestQueue; charges: Charges },
): LostLeases {
  const { db } = books
  const reopenItem = db.prepare(
    `UPDATE item SET state = 'open' WHERE subnet = ? AND model = ? AND item = ? AND state = 'leased'`,
  )
  const release = db.prepare(
    `UPDATE job SET state = 'released' WHERE id = ? AND worker = ? AND state = 'leased'`,
  )
  const selectJob = db.prepare<[Uint8Array], { subnet: string; model: Uint8Array; item: bigint | null }>(
    'SELECT subnet, model, item FROM job WHERE id = ?',
  )
  const selectExpired = db.prepare<[number], { id: Uint8Array; worker: Uint8Array }>(
    `SELECT id, worker FROM job WHERE state = 'leased' AND (deadline_ms < ?
       OR worker IN (SELECT worker FROM standing WHERE standing = 'suspended')) LIMIT 1000`,
  )
  // Nobody will submit them; assignments put their items up again.
  const dropAnswers = db.prepare(
    `UPDATE job SET state = 'released' WHERE state = 'answered'
       AND worker IN (SELECT worker FROM standing WHERE standing = 'suspended')`,
  )
  /** Who asked before a restart has lost its connection, and buys nothing. */
  let orphaned: readonly LostLease[] = db
    .prepare<[], { id: Uint8Array; worker: Uint8Array }>(
      `SELECT id, worker FROM job WHERE state = 'leased' AND requester IS NOT NULL`,
    )
    .all()
    .map(({ id, worker }) => ({ job: id, worker, reason: 'its requester is gone' }))
  const waiting = new Map<string, LeasedRequest>()

  /** Open again for others; whoever holds the job may still answer it, and is first if it is first in the log. */
  function giveBack(lost: readonly LostLease[]): number {
    if (lost.length === 0) return 0
    const released = db
      .transaction(() => {
        const refunds: Uint8Array[] = []
        const given = lost.filter(({ job, worker }) => {
          if (release.run(job, worker).changes !== 1) return false
          const row = selectJob.get(job)
          if (row !== undefined && row.item !== null) reopenItem.run(row.subnet, row.model, row.item)
          else refunds.push(job)
          return true
        })
        charges.refund(refunds)
        return given
      })
      .immediate()
    for (const { job, worker, reason } of released) {
      const leased = waiting.get(hex(job))
      waiting.delete(hex(job))
      if (leased !== undefined) requests.lost(leased.request, hex(worker), reason)
    }
    return released.length
  }

  function expire(nowMs: number): number {
    dropAnswers.run()
    const late = selectExpired
      .all(nowMs)
      .map(({ id, worker }) => ({ job: id, worker, reason: 'its lease ran out' }))
    const given = giveBack([...late, ...orphaned])
    orphaned = []
    return given
  }

  return {
    wait: (id, leased) => void waiting.set(hex(id), leased),
    requestOf: (job) => waiting.get(hex(job)) ?? null,
    forget: (job) => void waiting.delete(hex(job)),
    fail: (worker, failures) => giveBack(failures.map(({ job, reason }) => ({ job, worker, reason }))),
    expire,
  }
}
