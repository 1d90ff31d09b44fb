import { encodeCbor } from '../../compute/work/canonical-cbor.ts'
import { hex } from '../../compute/work/hex.ts'
import { treeRoot } from '../../compute/work/receipt-tree.ts'
import { sha256 } from '../../compute/work/tagged-hash.ts'
import type { MarketModel } from '../subnet/markets.ts'
import type { AuditCapacity } from './audit-capacity.ts'
import type { Books } from './books.ts'
import { look, record } from './books.ts'
import type { Canaries } from './canaries.ts'
import type { Charges } from './charges.ts'
import { openHolds } from './holds.ts'
import { type Draft, MAX_LEASED_INPUT_BYTES, openLeaseDrafts } from './lease-drafts.ts'
import { type LeasedRequest, openLostLeases } from './lost-leases.ts'
import type { Market } from './market.ts'
import { newJob } from './new-job.ts'
import type { RequestQueue } from './requests.ts'
import { createSpaceWatch } from './space-watch.ts'
import type { UnsettledWatch } from './unsettled-watch.ts'

/** What a worker is given: the job, the salt of its input, and the input itself. */
export interface LeasedJob {
  readonly job: Uint8Array
  readonly salt: Uint8Array
  readonly inputs: Uint8Array
}

/** `known`: digest of the output bundle. */
export interface KnownJob {
  readonly job: Uint8Array
  readonly model: MarketModel
  readonly known: Uint8Array
}

export interface LeaseDesk {
  /**
   * Up to `max` pieces of work for this worker, each as a new job that is in the log before it is handed out, with room on the
   * disk for its outputs. Throws RefusedError `space_short`, `log_full`.
   */
  lease(worker: Uint8Array, max: number, epoch: number): LeasedJob[]
  /** Canaries and nothing else, for the operator's own proctor; each with what it has to answer. */
  leaseCanaries(worker: Uint8Array, max: number, epoch: number): KnownJob[]
  /** Why this worker gets nothing whatever there is to do; null: it may. */
  refusal(worker: Uint8Array, epoch: number): 'audit_capacity_full' | null
  /** Gives back jobs that a worker could not run; those that are not its own or already answered are passed over. */
  fail(worker: Uint8Array, failures: readonly { job: Uint8Array; reason: string }[]): number
  /** Gives back every lease whose deadline has passed or whose worker is suspended. */
  expire(nowMs: number): number
  /** The request that waits for this job's answer, if its requester is still there. */
  requestOf(job: Uint8Array): LeasedRequest | null
  forget(job: Uint8Array): void
  /** Whether `lease` throws `space_short` now, for work like the last that was asked for. */
  isSpaceShort(): boolean
}

export function openLeaseDesk(
  books: Books,
  parts: {
    market: Market
    requests: RequestQueue
    charges: Charges
    capacity: AuditCapacity
    unsettled: UnsettledWatch
    canaries: Canaries
  },
  policy: { deadlineMs: number; maxPerWorker: number },
): LeaseDesk {
  const { db } = books
  const { requests, charges, capacity, canaries, unsettled } = parts
  const work = openLeaseDrafts(books, parts)
  const lost = openLostLeases(books, parts)
  // Of the newest jobs. OR FAIL: see openSubmissionDesk.
  const takeItems = db.prepare(
    `UPDATE OR FAIL item SET state = 'leased' WHERE state = 'open' AND (subnet, model, item) IN
       (SELECT subnet, model, item FROM job WHERE number > (SELECT max(number) FROM job) - ? AND item IS NOT NULL)`,
  )
  const countLeased = db
    .prepare<[Uint8Array], bigint>(`SELECT count(*) FROM job WHERE worker = ? AND state = 'leased'`)
    .pluck()
  const insertJob = db.prepare(
    `INSERT INTO job (id, bytes, subnet, model, input, input_salt, origin_salt, origin_record, item, requester, charge_msat,
                      worker, epoch, units, output_bytes, entry_index, leased_ms, deadline_ms, unproven, is_private, state)
     VALUES (@id, @bytes, @subnet, @model, @inputDigest, @inputSalt, @originSalt, @originRecord, @item, @requester,
             @chargeMsat, @worker, @epoch, @units, @outputBytes, @entryIndex, @leasedMs, @deadlineMs, @unproven, @isPrivate, 'leased')`,
  )
  const holds = openHolds(books)
  const sumLeased = db
    .prepare<[], bigint>(`SELECT coalesce(sum(output_bytes), 0) FROM job WHERE state = 'leased'`)
    .pluck()
  const space = createSpaceWatch(books.blobs, () => Number(sumLeased.get()))

  function lease(worker: Uint8Array, max: number, epoch: number): LeasedJob[] {
    // A requester of a worker that died waits for the next one to ask, not for the next block; refunds are synced first.
    lost.expire(Date.now())
    const room = Math.min(
      max,
      policy.maxPerWorker - Number(countLeased.get(worker)),
      capacity.freeFor(worker, epoch),
    )
    if (room <= 0) return []
    unsettled.assertLeasable()
    const asked = requests.take(hex(worker), room, MAX_LEASED_INPUT_BYTES)
    try {
      const drafts = look(books, () => work.draw(worker, asked, room, epoch))
      const fitting = space.take(drafts)
      const leased = fitting.length === 0 ? [] : log(worker, epoch, fitting)
      for (const draft of drafts.toReversed()) {
        if (draft.request !== null && !fitting.includes(draft)) requests.putBack(draft.request)
      }
      return leased
    } catch (error) {
      for (const request of asked.toReversed()) requests.putBack(request)
      throw error
    }
  }

  function leaseCanaries(worker: Uint8Array, max: number, epoch: number): KnownJob[] {
    const leased: KnownJob[] = []
    while (leased.length < Math.min(max, capacity.freeFor(worker, epoch))) {
      const next = canaries.any(epoch)
      if (next === null) break
      const [one] = log(worker, epoch, [work.canary(next.model, next.canary)])
      if (one !== undefined) leased.push({ job: one.job, model: next.model, known: next.canary.known })
    }
    return leased
  }

  /**
   * Inputs are held, and the jobs in the log, before anybody gets them: what is leased can be audited. Neither waits for
   * the disk beyond the log's own sync, but inputs above 128 KiB: these are files, synced each. A power cut that takes
   * an input takes its requester's connection, and no answer to it is acknowledged any more; the list of jobs is put
   * again from their rows (putLostJobLists).
   */
  function log(worker: Uint8Array, epoch: number, drafts: readonly Draft[]): LeasedJob[] {
    const leasedMs = Date.now()
    const deadlineMs = leasedMs + policy.deadlineMs
    const jobs = drafts.map((draft) => ({ draft, ...newJob(draft, deadlineMs) }))
    const list = encodeCbor(jobs.map(({ bytes }) => bytes))
    const listDigest = sha256(list)
    const requested = jobs.filter(({ draft }) => draft.request !== null)
    books.blobs.putUnsynced([
      { name: hex(listDigest), bytes: list },
      ...requested.map(({ draft, inputDigest }) => ({ name: hex(inputDigest), bytes: draft.inputs })),
    ])
    const unproven = capacity.isUnproven(worker) ? 1 : 0
    const root = treeRoot(jobs.map(({ id }) => id))
    const count = jobs.length
    const entry = { v: 1, kind: 'jobs', worker, epoch, leasedMs, count, root, jobs: listDigest } as const
    record(books, entry, (entryIndex) => {
      const present = holds.present()
      for (const { draft, id, bytes, inputDigest, inputSalt, originSalt, originRecord, units } of jobs) {
        const { subnet, model, item, request, chargeMsat, outputBytes } = draft
        const isPrivate = subnet.privacy === 'private'
        // A dataset's are held for good.
        if (item === null) holds.hold([inputDigest], isPrivate, present)
        const { lastInsertRowid: number } = insertJob.run({
          id,
          bytes,
          subnet: subnet.name,
          model: model.digest,
          inputDigest,
          inputSalt,
          originSalt,
          originRecord,
          item,
          // Nobody's: what is known is not sold.
          requester: draft.canary === null ? (request?.requester ?? null) : null,
          chargeMsat,
          worker,
          epoch,
          units,
          outputBytes,
          entryIndex,
          leasedMs,
          deadlineMs,
          unproven,
          isPrivate: isPrivate ? 1 : 0,
        })
        if (request !== null) charges.reserve(number, request.requester, chargeMsat, entryIndex)
        if (draft.canary !== null) canaries.spend(draft.canary, id)
      }
      takeItems.run(count)
    })
    for (const { draft, id, bytes: job, inputSalt } of jobs) {
      if (draft.request !== null) lost.wait(id, { request: draft.request, job, inputSalt })
    }
    return jobs.map(({ draft, bytes, inputSalt }) => ({ job: bytes, salt: inputSalt, inputs: draft.inputs }))
  }

  return {
    lease,
    leaseCanaries,
    refusal: (worker, epoch) => (capacity.freeFor(worker, epoch) > 0 ? null : 'audit_capacity_full'),
    fail: lost.fail,
    expire: lost.expire,
    requestOf: lost.requestOf,
    forget: lost.forget,
    isSpaceShort: space.isShort,
  }
}
