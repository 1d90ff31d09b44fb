import { afterAll, beforeAll, expect, test } from 'vitest'
import { type RegtestNode, startBitcoind } from '../../../regtest/start-bitcoind.ts'
import { epochEntry, reasonsOf } from './epoch-entry.ts'
import { idOf, type Peer, worksOf } from './peer.ts'
import { openSite, REWARD_MSAT, type Site } from './site.ts'
import { cheatedOutput, tinyMarket } from './tiny-market.ts'

const TEN_MINUTES_MS = 600_000

let node: RegtestNode
beforeAll(async () => {
  node = await startBitcoind()
})
afterAll(() => node.stop())

test('an item that a worker answers twice earns once', async () => {
  await using site = await openSite(node)
  const { worker, other, auditors } = await begin(site)
  const [early, late] = await leaseTwice(site, worker)
  await worksOf(other.work())
  const both = await worker.hold([early, late])
  await worker.submit(worker.draft(both.map(({ receipt }) => receipt)))

  await site.mineAudited(auditors, 'the settlement', () =>
    site.status().epochs.some(({ settled }) => settled),
  )
  const { reasons } = epochEntry(site, 0)
  expect(both.map((work) => reasons.get(idOf(work)))).toEqual(['earned', 'repeated'])
  expect(accrued(site, worker)).toBe(REWARD_MSAT)
})

test('where the first answer to an item fails its audit, the second earns, and the item is not open again', async () => {
  await using site = await openSite(node)
  const { worker, auditors } = await begin(site)
  const [early, late] = await leaseTwice(site, worker)
  const cheated = await worker.hold([early], cheatedOutput)
  await worker.submit(worker.draft(cheated.map(({ receipt }) => receipt)))
  const honest = await worker.hold([late])
  await worker.submit(worker.draft(honest.map(({ receipt }) => receipt)))

  await site.mineAudited(auditors, 'the settlement', () =>
    site.status().epochs.some(({ settled }) => settled),
  )
  const { reasons } = epochEntry(site, 0)
  expect([...cheated, ...honest].map((work) => reasons.get(idOf(work)))).toEqual(['fail', 'earned'])
  expect(itemState(site)).toBe('done')
})

test('a verdict that came too late to refute the first answer does not make the second one earn', async () => {
  await using site = await openSite(node, {
    flags: { 'epoch.auditRoundBlocks': '100' },
    subnets: [tinyMarket({ dataset: { items: [new Uint8Array([0x80])], perEpoch: 1 } })],
  })
  const { worker, auditors } = await begin(site)
  const [early, late] = await leaseTwice(site, worker)
  const first = await worker.hold([early], cheatedOutput)
  await worker.submit(worker.draft(first.map(({ receipt }) => receipt)))
  await site.mineUntil('the settlement', () => site.status().epochs.some(({ settled }) => settled))
  expect(epochEntry(site, 0).reasons.get(first.map(idOf).join())).toBe('earned')

  const second = await worker.hold([late])
  await worker.submit(worker.draft(second.map(({ receipt }) => receipt)))
  const id = second.map(idOf).join()
  await site.mineAudited(auditors, 'the second settlement', () => reasonsOf(site).has(id))
  expect(site.status().audits).toMatchObject({ failed: 1, passed: 1 })
  expect(reasonsOf(site).get(id)).toBe('repeated')
})

/** `worker` is the one that the beacon gave the first item; the operator's auditor rechecks. */
async function begin(site: Site): Promise<{ worker: Peer; other: Peer; auditors: Peer[] }> {
  const peers = await site.begin(2)
  const assignee = site
    .coordinator()
    .books.db.prepare('SELECT assignee FROM item WHERE item = 0')
    .pluck()
    .get()
  const worker = peers.find(({ key }) => Buffer.compare(key, Object(assignee)) === 0)
  const other = peers.find((peer) => peer !== worker)
  if (worker === undefined || other === undefined) throw new Error('item 0 is assigned to nobody')
  return { worker, other, auditors: peers }
}

/** Item 0 leased, lost by a lease that ran out, and leased again by the same worker. */
async function leaseTwice(site: Site, worker: Peer) {
  const [early] = await worker.lease(1)
  site.house().desks.leases.expire(Date.now() + TEN_MINUTES_MS)
  const [late] = await worker.lease(1)
  if (early === undefined || late === undefined) throw new Error('nothing leased')
  expect(Buffer.from(late.inputs)).toEqual(Buffer.from(early.inputs))
  return [early, late] as const
}

function accrued(site: Site, peer: Peer): bigint | undefined {
  return site
    .coordinator()
    .books.db.prepare<[Uint8Array], bigint>(
      `SELECT msat FROM accrual WHERE epoch = 0 AND worker = ? AND subnet = 'tiny'`,
    )
    .pluck()
    .get(peer.key)
}

function itemState(site: Site): unknown {
  return site.coordinator().books.db.prepare('SELECT state FROM item WHERE item = 0').pluck().get()
}
