import { afterAll, beforeAll, expect, test } from 'vitest'
import { type RegtestNode, startBitcoind } from '../../../regtest/start-bitcoind.ts'
import { replay } from '../../../src/replay/replay.ts'
import { recordLog } from '../replay/recorded-log.ts'
import { epochEntry, reasonsOf } from './epoch-entry.ts'
import { openRequester } from './paying-requester.ts'
import { idOf, worksOf } from './peer.ts'
import { BUDGET_MSAT, openSite, type Site } from './site.ts'

/** One more than the reorgs of this file are deep: what they take away was never final. */
const FINAL_DEPTH = '3'

let node: RegtestNode
beforeAll(async () => {
  node = await startBitcoind()
})
afterAll(() => node.stop())

test('reorgs over an anchor and over a payout, before they are final, move nothing twice', async () => {
  await using site = await openSite(node, { flags: { 'epoch.finalDepth': FINAL_DEPTH } })
  const [worker, operator] = await site.begin(1)
  if (worker === undefined || operator === undefined) throw new Error('too few peers')
  const works = await worksOf(worker.work())
  const entry = site.coordinator().books.log.size() - 1

  await site.mineUntil('the anchor over the work', () => site.anchored().first(entry) !== null)
  const anchorHeight = site.anchored().first(entry)?.height
  await reorg(site)
  expect(site.anchored().first(entry)).toBeNull()
  await site.mineUntil('the anchor again', () => site.anchored().first(entry) !== null)
  expect(site.anchored().first(entry)?.height).toBeGreaterThan(anchorHeight ?? 0)

  await site.mineAudited([operator], 'the payout in a block', () =>
    site.status().payouts.some(({ height }) => height !== null),
  )
  const before = transfers(site)
  expect(await site.satsOnChain(worker.address)).toBeGreaterThan(0n)
  await reorg(site)
  expect(site.status().payouts).toMatchObject([{ state: 'broadcast', height: null }])
  expect(await site.satsOnChain(worker.address)).toBe(0n)
  expect(transfers(site)).toEqual(before)
  expect(await site.reconcile()).toMatchObject({ ok: true })

  await site.mineAudited([operator], 'the settled payout', () =>
    site.status().payouts.some(({ state }) => state === 'settled'),
  )
  expect(transfers(site).slice(0, before.length)).toEqual(before)
  expect(transfers(site).slice(before.length)).toMatchObject([
    { id: 'payout/0/settled', code: 'payout_settled' },
    { id: 'payout/0/fee', code: 'payout_fee' },
  ])
  const reasons = reasonsOf(site)
  expect(works.map((work) => reasons.get(idOf(work)))).toEqual(works.map(() => 'earned'))
  const paidSats = (BUDGET_MSAT * 95n) / 100n / 1000n
  expect(await site.satsOnChain(worker.address)).toBe(paidSats)
  expect(site.troubles).toEqual([])
})

test('work whose anchor a reorg carries over the edge of its epoch is settled and paid in the next one alone', async () => {
  await using site = await openSite(node, { flags: { 'epoch.finalDepth': FINAL_DEPTH } })
  const [worker, operator] = await site.begin(1)
  if (worker === undefined || operator === undefined) throw new Error('too few peers')
  const lastHeight = site.startHeight + site.config.epoch.blocks - 1
  await site.mineTo(lastHeight - 1)
  const ids = (await worksOf(worker.work())).map(idOf)
  const entry = site.coordinator().books.log.size() - 1
  site.house().anchorer.request()
  await site.mine(1)
  expect(site.anchored().first(entry)?.height).toBe(lastHeight)
  await site.mine(1)

  await reorg(site)
  expect(site.anchored().first(entry)).toBeNull()
  await site.mineAudited([operator], 'the settlement of both', () =>
    site.status().epochs.some(({ number, settled }) => number === 1 && settled),
  )
  expect(site.anchored().first(entry)?.height).toBeGreaterThan(lastHeight)
  const [first, second] = [epochEntry(site, 0), epochEntry(site, 1)]
  expect(first.entry).toMatchObject({ computeMsat: 0n, auditMsat: 0n, returnedMsat: BUDGET_MSAT })
  expect(first.reasons.size).toBe(0)
  expect([...second.reasons.keys()].toSorted()).toEqual(ids.toSorted())
  expect(new Set(second.reasons.values())).toEqual(new Set(['earned']))
  await site.mineAudited([operator], 'the payout', () =>
    site.status().payouts.some(({ state }) => state === 'settled'),
  )
  expect(await site.satsOnChain(worker.address)).toBe((BUDGET_MSAT * 95n) / 100n / 1000n)
  expect(site.troubles).toEqual([])
})

test('a payment that a reorg carries below the block that made its intent final is no fault in the log', async () => {
  await using site = await openSite(node, { flags: { 'epoch.finalDepth': FINAL_DEPTH } })
  const requester = await openRequester(site, 'acme')
  await node.fund(requester.depositAddress, 30_000n)
  await site.begin(0)
  expect((await requester.withdraw('20000000')).status).toBe(202)
  await site.mineUntil('the payment', () => site.status().payouts[0]?.state === 'broadcast')
  const sentAt = await node.rpc.call('getblockcount')
  await node.reorg(2, 3, { empty: false })
  await site.mineUntil('the settled payout', () => site.status().payouts[0]?.state === 'settled')
  expect(site.status().payouts[0]?.height).toBeLessThan(Number(sentAt))
  await site.anchorAll()
  await site.mine(site.config.epoch.finalDepth)
  expect((await replay(await recordLog(site, node))).first).toBeNull()
})

/** Two blocks give way to three empty ones: what they held is in the mempool again. */
async function reorg(site: Site): Promise<void> {
  await node.reorg(2)
  await site.coordinator().kick()
}

function transfers(site: Site): unknown[] {
  return site.coordinator().books.db.prepare('SELECT * FROM ledger_transfer ORDER BY sequence').all()
}
