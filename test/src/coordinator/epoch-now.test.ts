import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { BitcoinRpc } from '../../../anchor/rpc.ts'
import { type RegtestNode, startBitcoind } from '../../../regtest/start-bitcoind.ts'
import { publishSubnet } from '../../../src/client/publish-subnet.ts'
import { replay } from '../../../src/replay/replay.ts'
import { recordLog } from '../replay/recorded-log.ts'
import { ask, openRequester } from './paying-requester.ts'
import { worksOf } from './peer.ts'
import { openSite, TOKEN } from './site.ts'
import { tinyInput, tinyMarket } from './tiny-market.ts'

/** Each epoch puts up another half. */
const MARKET = tinyMarket({
  dataset: { items: Array.from({ length: 48 }, (_, item) => tinyInput(item + 1)), perEpoch: 24 },
})

/** Ample on a busy machine: only what hangs fails. */
const PATIENCE = { timeout: 110_000 }

let node: RegtestNode
beforeAll(async () => {
  node = await startBitcoind()
})
afterAll(() => node.stop())

test('while a round leads into another epoch nothing is leased under the old one, nor defined for the new one', async () => {
  await using site = await openSite(node, { subnets: [MARKET] })
  const held = Promise.withResolvers<void>()
  const release = Promise.withResolvers<void>()
  // The round stands still at the first question after it has planned the payout.
  let isOpen = false
  const call: BitcoinRpc['call'] = async (...asked) => {
    if (isOpen && site.status().payouts.length > 0) {
      held.resolve()
      await release.promise
    }
    return node.rpc.call(...asked)
  }
  await site.reopen({ ...node.rpc, call })
  isOpen = true
  const requester = await openRequester(site, 'acme')
  await node.fund(requester.depositAddress, 30_000n)
  const [worker] = await site.begin(1)
  if (worker === undefined) throw new Error('no worker')
  site.house().payer.stop('a test', 0)
  expect((await requester.withdraw('20000000')).status).toBe(202)
  await site.mineTo(site.startHeight + site.config.epoch.blocks - 2)

  // As after a time without the node: two blocks at once, the second the first of epoch 1.
  await node.mine(2)
  site.house().payer.resume()
  const round = site.coordinator().kick()
  let asked: Promise<Response> | null = null
  try {
    await Promise.race([held.promise, round])
    expect(site.status().epoch).toBe(0)
    asked = ask(site, 1.5)
    await vi.waitFor(() => expect(site.house().desks.requests.length).toBe(1), PATIENCE)
    expect.soft(await worker.lease(1)).toEqual([])
    const early = publishSubnet(site.url, TOKEN, { ...MARKET, weight: 2, effectiveEpoch: 1 })
    await expect.soft(early).rejects.toMatchObject({ code: 'subnet_in_the_past' })
  } finally {
    release.resolve()
    await round
  }

  expect(site.status().epoch).toBe(1)
  expect(await worksOf(worker.work())).not.toEqual([])
  await publishSubnet(site.url, TOKEN, { ...MARKET, weight: 2, effectiveEpoch: 2 })
  await site.anchorAll()
  await site.mine(site.config.epoch.finalDepth)
  expect(await replay(await recordLog(site, node))).toMatchObject({ ok: true, first: null })
  expect((await asked)?.status).toBe(200)
  expect(site.troubles).toEqual([])
})
