import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { decodeModel } from '../../../compute/onnx/model.ts'
import { encodeCbor } from '../../../compute/work/canonical-cbor.ts'
import { hex } from '../../../compute/work/hex.ts'
import { jobId } from '../../../compute/work/job.ts'
import { treeRoot } from '../../../compute/work/receipt-tree.ts'
import { type RegtestNode, startBitcoind } from '../../../regtest/start-bitcoind.ts'
import { outputBound } from '../../../src/coordinator/output-bound.ts'
import { MIN_FREE_BYTES } from '../../../src/coordinator/space-watch.ts'
import { parseEntry } from '../../../src/log/entry.ts'
import { expectRefused } from '../api/refused.ts'
import { epochEntry } from './epoch-entry.ts'
import { idOf, type LeasedJob, type Peer } from './peer.ts'
import { openSite, type Site } from './site.ts'
import { largeInput, TINY_MODEL, tinyInput, tinyMarket } from './tiny-market.ts'

const MIB = 1024 * 1024
const TEN_MINUTES_MS = 600_000

let node: RegtestNode
beforeAll(async () => {
  node = await startBitcoind()
})
afterAll(() => node.stop())

test('jobs are in the log before they are leased, and a worker never holds more than its limit', async () => {
  await using site = await openSite(node, { flags: { 'leases.maxPerWorker': '10' } })
  const [worker] = await two(site, 1)
  const { log } = site.coordinator().books
  const sizeBefore = log.size()
  const leased = await worker.lease(8)
  expect(leased).toHaveLength(8)
  expect(log.size()).toBe(sizeBefore + 1)
  const entry = parseEntry(log.entry(sizeBefore))
  if (entry.kind !== 'jobs') throw new Error(`jobs are logged as ${entry.kind}`)
  expect(entry).toMatchObject({ epoch: 0, count: 8 })
  expect(Buffer.from(entry.root)).toEqual(Buffer.from(treeRoot(leased.map(({ job }) => jobId(job)))))
  expect(await worker.lease()).toHaveLength(2)
  expect(await worker.lease()).toEqual([])
  await worker.hold(leased.slice(0, 3))
  expect(await worker.lease()).toHaveLength(3)
  expect(site.status().work).toMatchObject({ jobsLeased: 10, jobsAnswered: 3 })
})

test('what a worker could not run goes back: its own leases alone, and each once', async () => {
  await using site = await openSite(node)
  const [worker, other] = await two(site, 2)
  const [job] = await worker.lease(1)
  if (job === undefined) throw new Error('nothing leased')
  const failures = [{ job: jobId(job.job), reason: 'out of memory' }]
  expect(await other.call('/v1/failures', { failures })).toEqual({ released: 0 })
  const unknown = [{ job: randomBytes(32), reason: 'never seen' }]
  expect(await worker.call('/v1/failures', { failures: unknown })).toEqual({ released: 0 })
  expect(site.status().work.jobsLeased).toBe(1)
  expect(await worker.call('/v1/failures', { failures })).toEqual({ released: 1 })
  expect(await worker.call('/v1/failures', { failures })).toEqual({ released: 0 })
  expect(site.status().work.jobsLeased).toBe(0)
})

test('an item is leased eight times in an epoch, however often it is given back', async () => {
  await using site = await openSite(node)
  const [worker] = await two(site, 1)
  const items: string[] = []
  const [first, ...others] = await worker.lease()
  const fail = (jobs: readonly LeasedJob[]) =>
    worker.call('/v1/failures', { failures: jobs.map(({ job }) => ({ job: jobId(job), reason: 'again' })) })
  await fail([first, ...others].flatMap((job) => job ?? []))
  for (let lease = 0; lease < 9; lease += 1) {
    const jobs = await worker.lease(1)
    items.push(...jobs.map(({ inputs }) => Buffer.from(inputs).toString('hex')))
    await fail(jobs)
  }
  const [one, next] = [first, others[0]].map((job) => Buffer.from(job?.inputs ?? []).toString('hex'))
  expect(items).toEqual([...Array(7).fill(one), next, next])

  await site.mineUntil('epoch 1', () => site.status().epoch === 1)
  expect(await worker.lease()).toHaveLength(1 + others.length)
})

test("an expired lease's request goes to another worker, whose answer the requester gets, with the salts of that job", async () => {
  await using site = await openSite(node, { subnets: [tinyMarket({ dataset: null })] })
  const [late, prompt] = await two(site, 2)
  const { leases } = site.house().desks
  const asked = infer(site)
  const first = await late.lease(1, 10_000)
  expect(first).toHaveLength(1)
  expect(leases.expire(Date.now())).toBe(0)
  expect(leases.expire(Date.now() + TEN_MINUTES_MS)).toBe(1)
  const second = await prompt.lease(1)
  const answered = await prompt.hold(second)
  const response = await asked
  expect(response.status).toBe(200)
  expect(response.headers.get('assay-receipt-id')).toBe(answered.map(idOf).join())
  expect(Object(await response.json()).parameters).toEqual({
    assay_receipt_id: answered.map(idOf).join(),
    assay_job: second.map(({ job }) => hex(job)).join(),
    assay_input_salt: second.map(({ salt }) => hex(salt)).join(),
    assay_output_salt: answered.map(({ salt }) => hex(salt)).join(),
  })

  // The late answer is a receipt like another; nobody bought it, so nobody pays for it.
  const tooLate = await late.hold(first)
  await late.submit(late.draft(tooLate.map(({ receipt }) => receipt)))
  await prompt.submit(prompt.draft(answered.map(({ receipt }) => receipt)))
  await site.mineAudited([late, prompt], 'the settlement', () =>
    site.status().epochs.some(({ settled }) => settled),
  )
  const { entry, reasons } = epochEntry(site, 0)
  expect(tooLate.map((work) => reasons.get(idOf(work)))).toEqual(['refunded'])
  expect(answered.map((work) => reasons.get(idOf(work)))).toEqual(['unassigned'])
  expect(entry.computeMsat).toBe(0n)
})

test('a request that three workers lost fails with their reason', async () => {
  await using site = await openSite(node, { subnets: [tinyMarket({ dataset: null })] })
  const workers = (await site.begin(3)).slice(0, 3)
  const asked = infer(site)
  for (const worker of workers) {
    const [job] = await worker.lease(1, 10_000)
    if (job === undefined) throw new Error('nothing leased')
    await worker.call('/v1/failures', { failures: [{ job: jobId(job.job), reason: 'it burns' }] })
    // Whoever lost it isn't asked again.
    expect(await worker.lease()).toEqual([])
  }
  const response = await asked
  expect(response.status).toBe(502)
  expect(await response.json()).toMatchObject({ code: 'request_failed', error: '3 workers failed: it burns' })
})

test('items whose worker let its leases run out, or never submitted, are worked by others', async () => {
  await using site = await openSite(node)
  const [lost, other] = await two(site, 2)
  const leased = await lost.lease()
  const half = Math.ceil(leased.length / 2)
  // Some are answered and then forgotten; the rest never come back.
  await lost.hold(leased.slice(0, half))
  expect(site.house().desks.leases.expire(Date.now() + TEN_MINUTES_MS)).toBe(leased.length - half)
  const mine = ((await other.work())?.works ?? []).length
  expect(mine).toBe(24 - leased.length)

  await site.mineUntil('epoch 1', () => site.status().epoch === 1)
  const freed = leased.length - half
  expect(site.status().work.itemsAssigned).toBe(freed)
  expect((await other.lease()).length + (await lost.lease()).length).toBe(freed)
  // Whoever answered has the whole next epoch to submit; after that its items are others' too.
  await site.mineUntil('epoch 2', () => site.status().epoch === 2)
  expect(site.status().work.itemsAssigned).toBe(half)
  expect((await other.lease()).length + (await lost.lease()).length).toBe(half)
})

test('an answer carries at most 32 MiB of inputs, or one: items, requests and audits', async () => {
  const items = [1, 2].map((value) => largeInput(value, 17 * MIB))
  await using site = await openSite(node, { subnets: [tinyMarket({ dataset: { items, perEpoch: 2 } })] })
  const [worker, auditor] = await two(site, 1)
  const first = await worker.lease()
  const second = await worker.lease()
  expect([first.length, second.length, (await worker.lease()).length]).toEqual([1, 1, 0])

  const { market, requests } = site.house().desks
  const model = market.modelNamed('identity', 0)
  if (model === null) throw new Error('no model')
  const deadlineMs = Date.now() + TEN_MINUTES_MS
  const asking = [...items, tinyInput(3)].map((inputs) =>
    requests.ask({
      ...model,
      inputs,
      items: 1,
      requester: 'anonymous',
      quoteMsat: 0n,
      deadlineMs,
      priority: 2,
    }),
  )
  const third = await worker.lease()
  const fourth = await worker.lease()
  expect([third.length, fourth.length]).toEqual([1, 2])
  await worker.hold([...third, ...fourth])
  expect(await Promise.all(asking)).toHaveLength(3)

  for (const leased of [first, second]) {
    const works = await worker.hold(leased)
    await worker.submit(worker.draft(works.map(({ receipt }) => receipt)))
  }
  await site.mineUntil('the draw', () => site.status().audits.rounds === 2)
  expect(await auditor.auditLeases()).toHaveLength(1)
})

test("when the disk is almost full nothing is leased, and a dataset's items stay open", async () => {
  await using site = await openSite(node)
  const [worker] = await two(site, 1)
  vi.spyOn(site.coordinator().books.blobs, 'freeBytes').mockReturnValue(MIN_FREE_BYTES - 1)
  const body = encodeCbor({ max: 1, waitMs: 0 })
  await expectRefused(site, () => worker.post('/v1/leases', body), { status: 503, code: 'space_short' })
})

test('what is leased has its room on the disk until it is answered or given back', async () => {
  await using site = await openSite(node)
  const [worker, other] = await two(site, 2)
  vi.useFakeTimers({ toFake: ['Date'] })
  onTestFinished(() => void vi.useRealTimers())
  const outputBytes = outputBound(decodeModel(TINY_MODEL))(tinyInput(1))
  vi.spyOn(site.coordinator().books.blobs, 'freeBytes').mockReturnValue(MIN_FREE_BYTES + 2 * outputBytes)
  const [first, second, ...more] = await worker.lease()
  expect(more).toEqual([])
  if (first === undefined || second === undefined) throw new Error('room for two')
  const refused = { status: 503, code: 'space_short' }
  const body = encodeCbor({ max: 1, waitMs: 0 })
  await expectRefused(site, () => other.post('/v1/leases', body), refused)
  expect(site.status().data.isSpaceShort).toBe(true)
  await worker.hold([first])
  expect(site.status().data.isSpaceShort).toBe(false)
  vi.advanceTimersByTime(2_000)
  expect(await other.lease()).toHaveLength(1)
  await expectRefused(site, () => other.post('/v1/leases', body), refused)
  await worker.call('/v1/failures', { failures: [{ job: jobId(second.job), reason: 'out of memory' }] })
  vi.advanceTimersByTime(2_000)
  expect(await other.lease()).toHaveLength(1)
})

async function two(site: Site, workers: number): Promise<[Peer, Peer]> {
  const [first, second] = await site.begin(workers)
  if (first === undefined || second === undefined) throw new Error('too few peers')
  return [first, second]
}

function infer(site: Site): Promise<Response> {
  return fetch(new URL('/v2/models/identity/infer', site.url), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], data: [1, 2] }] }),
  })
}
