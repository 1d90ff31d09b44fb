import { randomBytes, randomInt } from 'node:crypto'
import { encodeCbor } from '../../compute/work/canonical-cbor.ts'
import { hex } from '../../compute/work/hex.ts'
import type { Job, OriginRecord } from '../../compute/work/job.ts'
import {
  encodeJob,
  encodeOriginRecord,
  inputCommitment,
  jobId,
  originCommitment,
} from '../../compute/work/job.ts'
import { treeRoot } from '../../compute/work/receipt-tree.ts'
import { sha256 } from '../../compute/work/tagged-hash.ts'
import type { AuditCapacity } from './audit-capacity.ts'
import type { Books } from './books.ts'
import { record } from './books.ts'
import type { Canaries, Canary } from './canaries.ts'
import type { Charges } from './charges.ts'
import { openHolds } from './holds.ts'
import type { Market, MarketModel } from './market.ts'
import { RefusedError } from './refused-error.ts'
import type { PendingRequest, RequestQueue } from './requests.ts'
import { createSpaceWatch } from './space-watch.ts'

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
   * Up to `max` pieces of work for this worker, each as a new job that is in the log before it is handed out. Throws
   * RefusedError `space_short`.
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
  requestOf(job: Uint8Array): PendingRequest | null
  forget(job: Uint8Array): void
}

interface Draft extends MarketModel {
  readonly origin: OriginRecord
  readonly item: number | null
  readonly inputs: Uint8Array
  readonly items: number
  readonly request: PendingRequest | null
  readonly canary: Canary | null
  readonly chargeMsat: bigint
}

interface ItemRow {
  subnet: string
  model: Uint8Array
  item: bigint
  input: Uint8Array
}

/** Half of a body, so that the largest single input still fits with its frame; a lease of one job may be larger. */
export const MAX_LEASED_INPUT_BYTES = 32 * 1024 * 1024

export function openLeaseDesk(
  books: Books,
  parts: {
    market: Market
    requests: RequestQueue
    charges: Charges
    capacity: AuditCapacity
    canaries: Canaries
  },
  policy: { deadlineMs: number; maxPerWorker: number },
): LeaseDesk {
  const { db } = books
  const { market, requests, charges, capacity, canaries } = parts
  const selectItems = db.prepare<[Uint8Array, number, number], ItemRow>(
    `SELECT subnet, model, item, input FROM item
      WHERE assignee = ? AND state = 'open' AND epoch = ? ORDER BY subnet, model, item LIMIT ?`,
  )
  const setItem = db.prepare(
    'UPDATE item SET state = ? WHERE subnet = ? AND model = ? AND item = ? AND state = ?',
  )
  const countLeased = db
    .prepare<[Uint8Array], bigint>(`SELECT count(*) FROM job WHERE worker = ? AND state = 'leased'`)
    .pluck()
  const insertJob = db.prepare(
    `INSERT INTO job (id, bytes, subnet, model, input, input_salt, origin_salt, origin_record, item, requester, charge_msat,
                      worker, epoch, units, entry_index, deadline_ms, unproven, is_private, state)
     VALUES (@id, @bytes, @subnet, @model, @inputDigest, @inputSalt, @originSalt, @originRecord, @item, @requester,
             @chargeMsat, @worker, @epoch, @units, @entryIndex, @deadlineMs, @unproven, @isPrivate, 'leased')`,
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
  const selectAsked = db.prepare<[], { id: Uint8Array; worker: Uint8Array }>(
    `SELECT id, worker FROM job WHERE state = 'leased' AND requester IS NOT NULL`,
  )
  const waiting = new Map<string, PendingRequest>()
  const holds = openHolds(books)
  const assertSpace = createSpaceWatch(books.blobs)

  function lease(worker: Uint8Array, max: number, epoch: number): LeasedJob[] {
    // A requester of a worker that died waits for the next one to ask, not for the next block.
    expire(Date.now())
    const room = Math.min(
      max,
      policy.maxPerWorker - Number(countLeased.get(worker)),
      capacity.freeFor(worker, epoch),
    )
    if (room <= 0) return []
    assertSpace()
    const asked = requests.take(hex(worker), room, MAX_LEASED_INPUT_BYTES)
    try {
      const drafts = withCanaries(asked, room, epoch)
      addItems(drafts, selectItems.all(worker, epoch, room - drafts.length), epoch)
      return drafts.length === 0 ? [] : log(worker, epoch, drafts)
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
      const [one] = log(worker, epoch, [draftCanary(next.model, next.canary)])
      if (one !== undefined) leased.push({ job: one.job, model: next.model, known: next.canary.known })
    }
    return leased
  }

  /**
   * Canaries stand among the requests, at places of chance, so that a worker can't tell them apart: nothing in the job, its
   * lease or its answer differs. What finds no room beside them waits for the next lease.
   */
  function withCanaries(asked: PendingRequest[], room: number, epoch: number): Draft[] {
    const drafts = draftRequests(asked, epoch)
    let bytes = sumBytes(drafts)
    for (const request of asked) {
      const canary = canaries.beside(request)
      if (canary === null || drafts.some((draft) => draft.canary?.number === canary.number)) continue
      bytes += canary.inputs.length
      drafts.splice(randomInt(drafts.length + 1), 0, draftCanary(request, canary))
    }
    while (drafts.length > room || (drafts.length > 1 && bytes > MAX_LEASED_INPUT_BYTES)) {
      const last = drafts.pop()
      bytes -= last?.inputs.length ?? 0
      if (last === undefined || last.request === null) continue
      asked.splice(asked.indexOf(last.request), 1)
      requests.putBack(last.request)
    }
    return drafts
  }

  /** As many as the answer has room for. */
  function addItems(drafts: Draft[], rows: readonly ItemRow[], epoch: number): void {
    let bytes = sumBytes(drafts)
    for (const row of rows) {
      const draft = draftItem(row, epoch)
      if (draft === null) continue
      bytes += draft.inputs.length
      if (drafts.length > 0 && bytes > MAX_LEASED_INPUT_BYTES) return
      drafts.push(draft)
    }
  }

  /** Inputs are held, and the jobs in the log, before anybody gets them: what is leased can be audited. */
  function log(worker: Uint8Array, epoch: number, drafts: readonly Draft[]): LeasedJob[] {
    const deadlineMs = Date.now() + policy.deadlineMs
    const jobs = drafts.map((draft) => ({ draft, ...newJob(draft, deadlineMs) }))
    const list = encodeCbor(jobs.map(({ bytes }) => bytes))
    books.blobs.putMany([
      list,
      ...drafts.flatMap(({ request, inputs }) => (request === null ? [] : [inputs])),
    ])
    const unproven = capacity.isUnproven(worker) ? 1 : 0
    const root = treeRoot(jobs.map(({ id }) => id))
    const entry = { v: 1, kind: 'jobs', worker, epoch, count: jobs.length, root, jobs: sha256(list) } as const
    record(books, entry, (entryIndex) => {
      for (const { draft, id, bytes, inputDigest, inputSalt, originSalt, originRecord, units } of jobs) {
        const { subnet, model, item, request, chargeMsat } = draft
        const isPrivate = subnet.privacy === 'private'
        holds.hold([inputDigest], isPrivate)
        insertJob.run({
          id,
          bytes,
          subnet: subnet.name,
          model: model.digest,
          inputDigest,
          inputSalt,
          originSalt,
          originRecord,
          item,
          requester: request?.requester ?? null,
          chargeMsat,
          worker,
          epoch,
          units,
          entryIndex,
          deadlineMs,
          unproven,
          isPrivate: isPrivate ? 1 : 0,
        })
        if (request !== null) charges.reserve(id, request.requester, chargeMsat, entryIndex)
        if (item !== null) setItem.run('leased', subnet.name, model.digest, item, 'open')
        if (draft.canary !== null) canaries.spend(draft.canary, id)
      }
    })
    for (const { draft, id } of jobs) if (draft.request !== null) waiting.set(hex(id), draft.request)
    return jobs.map(({ draft, bytes, inputSalt }) => ({ job: bytes, salt: inputSalt, inputs: draft.inputs }))
  }

  /** By the definition and the price of this epoch: whoever can't pay for it any more is told so, and nobody works for nothing. */
  function draftRequests(asked: readonly PendingRequest[], epoch: number): Draft[] {
    const spentMsat = new Map<string, bigint>()
    return asked.flatMap((request) => {
      const { inputs, items, requester } = request
      try {
        const found = market.model(request.subnet.name, request.model.digest, epoch)
        if (found === null) throw new RefusedError(404, 'model_unknown', 'the model is not served any more')
        const units = BigInt(items) * BigInt(found.model.unitsPerItem)
        const chargeMsat = charges.quoteMsat(found.subnet.name, units, epoch)
        const spent = spentMsat.get(requester) ?? 0n
        charges.assertCover(requester, chargeMsat, spent)
        spentMsat.set(requester, spent + chargeMsat)
        return {
          ...found,
          inputs,
          items,
          item: null,
          request,
          canary: null,
          chargeMsat,
          origin: { kind: 'request', requester },
        }
      } catch (error) {
        if (!(error instanceof RefusedError)) throw error
        request.settle({ error })
        return []
      }
    })
  }

  function draftCanary({ subnet, model }: MarketModel, canary: Canary): Draft {
    const { inputs, items, known } = canary
    return {
      subnet,
      model,
      inputs,
      items,
      item: null,
      request: null,
      canary,
      chargeMsat: 0n,
      origin: { kind: 'canary', known },
    }
  }

  function draftItem(row: ItemRow, epoch: number): Draft | null {
    const found = market.model(row.subnet, row.model, epoch)
    const inputs = books.blobs.get(hex(row.input))
    if (found === null || found.subnet.dataset === null || inputs === null) return null
    const item = Number(row.item)
    return {
      ...found,
      inputs,
      item,
      items: 1,
      request: null,
      canary: null,
      chargeMsat: 0n,
      origin: { kind: 'dataset', dataset: found.subnet.dataset.list, item },
    }
  }

  /** Open again for others; whoever holds the job may still answer it, and is first if it is first in the log. */
  function giveBack(lost: readonly LostLease[]): number {
    const released = db
      .transaction(() => {
        const refunds: Uint8Array[] = []
        const given = lost.filter(({ job, worker }) => {
          if (release.run(job, worker).changes !== 1) return false
          const row = selectJob.get(job)
          if (row !== undefined && row.item !== null)
            setItem.run('open', row.subnet, row.model, row.item, 'leased')
          else refunds.push(job)
          return true
        })
        charges.refund(refunds)
        return given
      })
      .immediate()
    for (const { job, worker, reason } of released) {
      const request = waiting.get(hex(job))
      waiting.delete(hex(job))
      if (request !== undefined) requests.lost(request, hex(worker), reason)
    }
    return released.length
  }

  function expire(nowMs: number): number {
    dropAnswers.run()
    const late = selectExpired
      .all(nowMs)
      .map(({ id, worker }) => ({ job: id, worker, reason: 'its lease ran out' }))
    // Of requests only those still known here: who asked before a restart has lost its connection, and buys nothing.
    const orphaned = selectAsked
      .all()
      .filter(({ id }) => !waiting.has(hex(id)))
      .map(({ id, worker }) => ({ job: id, worker, reason: 'its requester is gone' }))
    return giveBack([...late, ...orphaned])
  }

  return {
    lease,
    leaseCanaries,
    refusal: (worker, epoch) => (capacity.freeFor(worker, epoch) > 0 ? null : 'audit_capacity_full'),
    fail: (worker, failures) => giveBack(failures.map(({ job, reason }) => ({ job, worker, reason }))),
    expire,
    requestOf: (job) => waiting.get(hex(job)) ?? null,
    forget: (job) => void waiting.delete(hex(job)),
  }
}

function sumBytes(drafts: readonly Draft[]): number {
  return drafts.reduce((sum, { inputs }) => sum + inputs.length, 0)
}

interface LostLease {
  readonly job: Uint8Array
  readonly worker: Uint8Array
  readonly reason: string
}

function newJob(draft: Draft, deadline: number) {
  const inputDigest = sha256(draft.inputs)
  const inputSalt = randomBytes(32)
  const originSalt = randomBytes(32)
  const originRecord = encodeOriginRecord(draft.origin)
  const job: Job = {
    v: 1,
    subnet: draft.subnet.name,
    model: draft.model.digest,
    input: inputCommitment(inputSalt, inputDigest),
    origin: originCommitment(originSalt, originRecord),
    items: draft.items,
    deadline,
    nonce: randomBytes(16),
  }
  const bytes = encodeJob(job)
  const units = BigInt(draft.items) * BigInt(draft.model.unitsPerItem)
  return { id: jobId(bytes), bytes, inputDigest, inputSalt, originSalt, originRecord, units }
}
