import { EventEmitter } from 'node:events'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type RegtestNode, startBitcoind } from '../../../regtest/start-bitcoind.ts'
import { untilSome } from '../../../src/api/until-some.ts'
import { createBell } from '../../../src/coordinator/bell.ts'
import { openSite } from '../coordinator/site.ts'

const LONG_MS = 30_000

let node: RegtestNode
beforeAll(async () => {
  node = await startBitcoind()
})
afterAll(() => node.stop())

/** Takes what `batches` say, in order, and counts how often it was asked. */
function taking(...batches: string[][]) {
  const calls = { count: 0 }
  const take = () => {
    calls.count += 1
    return batches.shift() ?? []
  }
  return { calls, take }
}

test('a worker that polls is answered when the work comes', async () => {
  await using site = await openSite(node)
  const worker = await site.peer()
  await site.auditor()
  await site.anchorAll()
  await site.mineTo(site.startHeight - 2)
  const asleep = vi.spyOn(site.house().desks.standings, 'assertMayWork')
  const polling = worker.lease(256, LONG_MS)
  await expect.poll(() => asleep.mock.calls.length).toBeGreaterThan(0)
  await site.mine(1)
  // Whoever asks now is too late: the poll has been given everything already.
  expect(await worker.lease()).toEqual([])
  expect(await polling).toHaveLength(24)
})

test("a worker's newer poll ends its older one of the same route, which answers empty", async () => {
  await using site = await openSite(node)
  const worker = await site.peer()
  await site.auditor()
  const { leases, audits } = site.house().desks
  const asleep = [vi.spyOn(leases, 'lease'), vi.spyOn(audits, 'lease')]
  await site.anchorAll()
  await site.mineTo(site.startHeight - 1)
  const first = await worker.lease()
  expect(first).toHaveLength(24)
  const polling = worker.lease(256, LONG_MS)
  const auditing = worker.call('/v1/audits/leases', { max: 256, waitMs: LONG_MS })
  await expect.poll(() => asleep.map(({ mock }) => mock.calls.length)).toEqual([2, 1])
  expect(await worker.lease()).toEqual([])
  expect(await polling).toEqual([])
  // The older one took nothing when it ended, and audits are polled apart.
  expect(asleep.map(({ mock }) => mock.calls.length)).toEqual([3, 1])
  expect(await worker.auditLeases()).toEqual([])
  expect(await auditing).toEqual({ audits: [] })
})

test('what is there is given at once', async () => {
  const { calls, take } = taking(['a'])
  expect(await untilSome(createBell(), new EventEmitter(), LONG_MS, take)).toEqual(['a'])
  expect(calls.count).toBe(1)
})

test('without a wait it asks once', async () => {
  const { calls, take } = taking()
  expect(await untilSome(createBell(), new EventEmitter(), 0, take)).toEqual([])
  expect(calls.count).toBe(1)
})

test('each ring asks again, until there is something', async () => {
  const bell = createBell()
  const { calls, take } = taking([], [], ['a', 'b'])
  const polling = untilSome(bell, new EventEmitter(), LONG_MS, take)
  bell.ring()
  await expect.poll(() => calls.count).toBe(2)
  bell.ring()
  expect(await polling).toEqual(['a', 'b'])
  expect(calls.count).toBe(3)
})

test('for a client that has left nothing is taken any more', async () => {
  const bell = createBell()
  const response = new EventEmitter()
  const { calls, take } = taking([], ['lost'])
  const polling = untilSome(bell, response, LONG_MS, take)
  response.emit('close')
  bell.ring()
  expect(await polling).toEqual([])
  expect(calls.count).toBe(1)
})
