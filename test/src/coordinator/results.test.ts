import { hash } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type RegtestNode, startBitcoind } from '../../../regtest/start-bitcoind.ts'
import { ask, leaseOne } from './paying-requester.ts'
import { idOf, type Peer } from './peer.ts'
import { openSite, type Site } from './site.ts'
import { largeInput, tinyInput, tinyMarket, tinyOutput } from './tiny-market.ts'

let node: RegtestNode
beforeAll(async () => {
  node = await startBitcoind()
})
afterAll(() => node.stop())

test('of two receipts for one request that come at once, the first is the one that its requester has', async () => {
  await using site = await openSite(node, { subnets: [tinyMarket({ dataset: null })] })
  const worker = await first(site)
  const asked = ask(site, 1.5)
  const leased = await leaseOne(worker)
  const [given, other] = [worker.answer(leased, 0), worker.answer(leased, 0)]
  const { results } = site.house().desks
  const answers = await Promise.all([
    results.accept(worker.key, [given]),
    results.accept(worker.key, [other, given]),
  ])
  expect(answers).toMatchObject([
    { accepted: 1, refused: [] },
    { accepted: 1, refused: [{ receipt: idOf(other), code: 'job_already_answered' }] },
  ])
  expect((await asked).headers.get('assay-receipt-id')).toBe(idOf(given))
  await worker.submit(worker.draft([given.receipt]))
})

test('a job whose answer is on its way to the disk is not given back', async () => {
  await using site = await openSite(node, { subnets: [tinyMarket({ dataset: null })] })
  const worker = await first(site)
  const asked = ask(site, 1.5)
  const work = worker.answer(await leaseOne(worker), 0)
  const { results, leases } = site.house().desks
  const held = results.accept(worker.key, [work])
  expect(leases.expire(Date.now())).toBe(0)
  await held
  expect(leases.expire(Date.now())).toBe(0)
  expect((await asked).status).toBe(200)
  expect(site.status().work).toMatchObject({ jobsLeased: 0, jobsAnswered: 1 })
})

test('outputs beyond the shapes that the model declares are refused, whose room is another job’s', async () => {
  await using site = await openSite(node)
  const worker = await first(site)
  const [leased] = await worker.lease(1)
  if (leased === undefined) throw new Error('nothing leased')
  const work = worker.answer(leased, 0, () => largeInput(1, 4_096))
  expect(await site.house().desks.results.accept(worker.key, [work])).toMatchObject({
    accepted: 0,
    refused: [{ receipt: idOf(work), code: 'output_too_large' }],
  })
})

test('an item may be answered again by another receipt of the same outputs; other ones grow no store', async () => {
  await using site = await openSite(node)
  const worker = await first(site)
  const [leased] = await worker.lease(1)
  if (leased === undefined) throw new Error('nothing leased')
  const { results } = site.house().desks
  const [given, again] = [worker.answer(leased, 0), worker.answer(leased, 0)]
  const others = [1, 2, 3].map((value) => worker.answer(leased, 0, () => tinyOutput(tinyInput(value + 0.5))))
  const refused = others.map((work) => ({ receipt: idOf(work), code: 'job_already_answered' }))
  const held = () => site.coordinator().books.db.prepare('SELECT count(*) FROM held_blob').pluck().get()
  // Both while it is on its way to the disk, and when it is there.
  expect(await results.accept(worker.key, [given, ...others])).toMatchObject({ accepted: 1, refused })
  const before = held()
  expect(await results.accept(worker.key, [again, ...others])).toMatchObject({ accepted: 1, refused })
  expect(held()).toBe(before)
  for (const { outputs } of others) {
    expect(site.coordinator().books.blobs.has(hash('sha256', outputs))).toBe(false)
  }
  await worker.submit(worker.draft([again.receipt]))
})

async function first(site: Site): Promise<Peer> {
  const [worker] = await site.begin(1)
  if (worker === undefined) throw new Error('one worker was asked for')
  return worker
}
