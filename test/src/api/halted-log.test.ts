import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { encodeCbor } from '../../../compute/work/canonical-cbor.ts'
import { type RegtestNode, startBitcoind } from '../../../regtest/start-bitcoind.ts'
import { problemIn } from '../coordinator/peer.ts'
import { openSite, TOKEN } from '../coordinator/site.ts'
import { tinyInput, tinyMarket } from '../coordinator/tiny-market.ts'

const POLL = encodeCbor({ max: 1, waitMs: 30_000 })
const HALTED = { status: 503, code: 'log_halted' }

let node: RegtestNode
beforeAll(async () => {
  node = await startBitcoind()
})
afterAll(() => node.stop())

test('polls that are asleep when the log halts are refused, and take nothing; nor is an anchor promised', async () => {
  await using site = await openSite(node, { subnets: [tinyMarket({ dataset: null })] })
  const [worker, auditor] = await site.begin(1)
  if (worker === undefined || auditor === undefined) throw new Error('too few peers')
  const { desks, anchorer } = site.house()
  const asleep = [vi.spyOn(desks.leases, 'lease'), vi.spyOn(desks.audits, 'lease')]
  const polling = [worker.post('/v1/leases', POLL), auditor.post('/v1/audits/leases', POLL)]
  await expect.poll(() => asleep.every(({ mock }) => mock.calls.length > 0)).toBe(true)

  // As after the restore of an old backup: the chain knows anchors that this database doesn't.
  site.coordinator().books.db.exec('DELETE FROM anchor_attempt')
  await site.coordinator().kick()
  expect(anchorer.state()).toMatchObject({ stalled: { code: 'database_old' }, inDoubt: true })
  const rows = site.everyRow()
  const found = desks.market.modelNamed('identity', 0)
  if (found === null) throw new Error('no model')
  const asking = desks.requests
    .ask({
      ...found,
      inputs: tinyInput(1),
      items: 1,
      requester: 'anonymous',
      quoteMsat: 0n,
      deadlineMs: Date.now() + 60_000,
      priority: 2,
    })
    .catch((error: unknown) => error)
  for (const poll of polling) expect(await problemIn(await poll)).toMatchObject(HALTED)
  expect(await problemIn(await worker.post('/v1/leases', POLL))).toMatchObject(HALTED)
  const now = { method: 'POST', headers: { authorization: `Bearer ${TOKEN}` } }
  expect(await problemIn(await fetch(`${site.url}/v1/operator/anchor`, now))).toMatchObject(HALTED)
  expect(site.everyRow()).toEqual(rows)
  desks.requests.close()
  expect(await asking).toMatchObject({ code: 'shutting_down' })
})

test('before the chain has been judged nobody writes', async () => {
  await using site = await openSite(node)
  const worker = await site.peer()
  let syncing = true
  await site.reopen({
    ...node.rpc,
    async call(method, ...params) {
      const answer = await node.rpc.call(method, ...params)
      return method === 'getblockchaininfo' ? { ...Object(answer), initialblockdownload: syncing } : answer
    },
  })
  expect(await problemIn(await worker.post('/v1/leases', POLL))).toMatchObject({
    ...HALTED,
    detail: expect.stringContaining('node_syncing'),
  })
  syncing = false
  await site.coordinator().kick()
  expect(await worker.lease()).toEqual([])
})

test('an epoch that begins while the log stands still has no price yet, and the screen still comes', async () => {
  await using site = await openSite(node, { subnets: [tinyMarket({ price: 10n ** 18n })] })
  await site.begin(0)
  site.coordinator().books.db.exec('DELETE FROM anchor_attempt')
  await site.mineTo(site.startHeight + 5)
  expect(site.status()).toMatchObject({ epoch: 1, subnets: [{ name: 'tiny', priceMsat: null }] })
  const listed = await fetch(new URL('/v1/subnets', site.url))
  expect(await listed.json()).toMatchObject([{ name: 'tiny', priceMsat: null }])
})
