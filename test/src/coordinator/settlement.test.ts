import { afterAll, beforeAll, expect, test } from 'vitest'
import { receiptId } from '../../../compute/work/receipt.ts'
import { type RegtestNode, startBitcoind } from '../../../regtest/start-bitcoind.ts'
import { maturedAccount, unmaturedAccount } from '../../../src/ledger/accounts.ts'
import { anchoredView } from '../../../src/rules/anchored.ts'
import { settlementHeight } from '../../../src/rules/epoch.ts'
import { epochRules } from '../../../src/rules/epoch-rules.ts'
import { epochEntry } from './epoch-entry.ts'
import { idOf, type Peer, type Work, worksOf } from './peer.ts'
import { BUDGET_MSAT, openSite, REWARD_MSAT, type Site } from './site.ts'
import { cheatedOutput, STRICT_MARKET } from './tiny-market.ts'

/** As in the site's calendar. */
const EPOCH_BLOCKS = 6
const VERDICT_BLOCKS = 8

/** However few the beacon deals to a worker. */
const PAID_FOR_ONE_ITEM = { 'payout.thresholdSats': '2000' }

let node: RegtestNode
beforeAll(async () => {
  node = await startBitcoind()
})
afterAll(() => node.stop())

test('honest work is paid on the chain; cheated work earns nothing, and its items are worked again', async () => {
  await using site = await openSite(node, { flags: PAID_FOR_ONE_ITEM })
  const [honest, cheat, operator] = await threePeers(site)
  const mine = await worksOf(honest.work())
  const cheated = await worksOf(cheat.work(cheatedOutput))
  expect(mine.length + cheated.length).toBe(24)

  await site.mineAudited([honest, cheat, operator], 'the settlement', () =>
    site.status().epochs.some(({ settled }) => settled),
  )
  expect(verdictsOf(site, mine)).toEqual(new Set(['pass']))
  expect(verdictsOf(site, cheated)).toEqual(new Set(['fail']))
  const { entry, reasons } = epochEntry(site, 0)
  const earnedMsat = BigInt(mine.length) * REWARD_MSAT
  expect(entry).toMatchObject({ computeMsat: earnedMsat, epoch: 0 })
  expect(entry.computeMsat + entry.auditMsat + entry.returnedMsat).toBe(BUDGET_MSAT)
  // Auditors share their 5 % of it by floor: less than 1 msat each is left.
  expect(earnedMsat / 19n - entry.auditMsat).toBeGreaterThanOrEqual(0n)
  expect(earnedMsat / 19n - entry.auditMsat).toBeLessThan(3n)
  expect(mine.map((work) => reasons.get(idOf(work)))).toEqual(mine.map(() => 'earned'))
  expect(cheated.map((work) => reasons.get(idOf(work)))).toEqual(cheated.map(() => 'fail'))
  expect(accrued(site, 0, honest, 'tiny')).toBe(earnedMsat)
  expect(accrued(site, 0, cheat, 'tiny')).toBe(0n)
  expect(site.status().epochs.find(({ number }) => number === 0)?.accruedMsat).toBe(
    entry.computeMsat + entry.auditMsat,
  )
  expect(openItems(site)).toBe(cheated.length)

  // The next beacon gives the items to whoever it picks: this time all of them are worked.
  await site.mineAudited(
    [honest, cheat, operator],
    'the next assignment',
    () => site.status().work.itemsAssigned === cheated.length,
  )
  const again = [...((await honest.work())?.works ?? []), ...((await cheat.work())?.works ?? [])]
  expect(again).toHaveLength(cheated.length)
  expect(openItems(site)).toBe(0)

  await site.mineAudited([honest, cheat, operator], 'the payout', () =>
    site.status().payouts.some(({ state }) => state === 'settled'),
  )
  expect(await site.satsOnChain(honest.address)).toBeGreaterThanOrEqual(earnedMsat / 1000n)
  expect(await site.satsOnChain(honest.address)).toBe(paidMsatOf(site, honest) / 1000n)
  expect(await site.satsOnChain(cheat.address)).toBe(paidMsatOf(site, cheat) / 1000n)
  expect(site.troubles).toEqual([])
})

test('a receipt whose three auditors keep silent is void: unpaid without guilt, its item open again', async () => {
  await using site = await openSite(node, {
    subnets: [STRICT_MARKET],
    flags: { 'epoch.verdictBlocks': '16' },
  })
  const [worker] = await threePeers(site, 3)
  const works = await worksOf(worker.work())
  await site.mineUntil('every receipt to be void', () => site.status().audits.void === works.length)
  const rounds = site
    .coordinator()
    .books.db.prepare<[], { state: string; auditors: bigint; rounds: bigint }>(
      'SELECT state, count(DISTINCT auditor) AS auditors, count(*) AS rounds FROM audit GROUP BY receipt, state',
    )
    .all()
  expect(rounds).toEqual(works.map(() => ({ state: 'inconclusive', auditors: 3n, rounds: 3n })))
  await site.mineUntil('the settlement', () => site.status().epochs.some(({ settled }) => settled))
  const { entry, reasons } = epochEntry(site, 0)
  expect(new Set(reasons.values())).toEqual(new Set(['inconclusive']))
  expect(entry).toMatchObject({ computeMsat: 0n, auditMsat: 0n, returnedMsat: BUDGET_MSAT })
  expect(openItems(site)).toBe(STRICT_MARKET.dataset?.items.length)
  expect(await site.reconcile()).toMatchObject({ ok: true })
})

test('one silent auditor costs a round: the next one decides', async () => {
  await using site = await openSite(node, { flags: { 'epoch.verdictBlocks': '16' } })
  const [worker, second, operator] = await threePeers(site)
  const works = await worksOf(worker.work())
  // Whoever is drawn first keeps silent; the others answer in the next round.
  await site.mineUntil('the second round', () => roundsDrawn(site) === 2)
  await site.mineAudited(
    [second, operator],
    'the verdicts',
    () => site.status().audits.passed === works.length,
  )
  expect(roundsDrawn(site)).toBe(2)
})

test('a verdict that is anchored after the cutoff pays, and so does none; a later one changes nothing', async () => {
  await using site = await openSite(node, {
    flags: { ...PAID_FOR_ONE_ITEM, 'epoch.auditRoundBlocks': '100' },
  })
  const [worker, other, operator] = await threePeers(site)
  // Too few to be held for.
  const works = await worksOf(worker.work(cheatedOutput, 8))
  const cutoffHeight = site.startHeight + EPOCH_BLOCKS - 1 + VERDICT_BLOCKS
  await site.mineTo(cutoffHeight)
  const late = await other.audit()
  await site.mineUntil('the settlement', () => site.status().epochs.some(({ settled }) => settled))
  const { entry, reasons } = epochEntry(site, 0)
  expect(works.map((work) => reasons.get(idOf(work)))).toEqual(works.map(() => 'earned'))
  const earnedMsat = BigInt(works.length) * REWARD_MSAT
  expect(entry).toMatchObject({ computeMsat: earnedMsat, auditMsat: 0n })
  expect(site.status().audits).toMatchObject({ failed: late.length, undecided: works.length - late.length })

  await operator.audit()
  expect(verdictsOf(site, works)).toEqual(new Set(['fail']))
  await site.mineUntil('the payout', () => site.status().payouts.some(({ state }) => state === 'settled'))
  expect(await site.satsOnChain(worker.address)).toBe(earnedMsat / 1000n)
  // Paid for: what it should have been is not bought twice.
  expect(openItems(site)).toBe(24 - works.length)
})

test('a worker that is suspended while its epoch is read earns nothing', async () => {
  await using site = await openSite(node)
  const [worker] = await threePeers(site)
  const works = await worksOf(worker.work())
  await site.mineTo(site.startHeight + EPOCH_BLOCKS)
  const { desks, anchorer, genesis } = site.house()
  const { db, log } = site.coordinator().books
  const suspend = db.prepare('INSERT INTO suspension (status_entry, worker) VALUES (?, ?)')
  const dueHeight = settlementHeight(0, epochRules(genesis))
  const blockHash = async () => {
    setImmediate(() => suspend.run(log.size(), worker.key))
    return new Uint8Array(32)
  }
  await desks.settlement.settleDue(dueHeight, anchoredView(anchorer.places()), blockHash)
  const { entry, reasons } = epochEntry(site, 0)
  expect(works.map((work) => reasons.get(idOf(work)))).toEqual(works.map(() => 'suspended'))
  expect(entry).toMatchObject({ computeMsat: 0n, returnedMsat: BUDGET_MSAT })
})

test('a budget that is anchored only after its epoch began pays nothing and returns', async () => {
  await using site = await openSite(node)
  const [worker, other, operator] = await threePeers(site)
  expect(site.status().epochs.map(({ number }) => number)).toEqual([1, 0])
  // The budget of epoch 1 stands in the log; miners leave its anchor waiting until epoch 1 has begun.
  while ((site.coordinator().advancedTo() ?? 0) < site.startHeight + 6) {
    await node.rpc.call('generateblock', 'raw(51)', [])
    await site.coordinator().kick()
  }
  expect(site.status().epoch).toBe(1)
  const works = await worksOf(worker.work())
  await site.mineAudited([other, operator], 'the settlement of epoch 1', () =>
    site.status().epochs.some(({ number, settled }) => number === 1 && settled),
  )
  const { entry, reasons } = epochEntry(site, 1)
  expect(works.map((work) => reasons.get(idOf(work)))).toEqual(works.map(() => 'no_budget'))
  expect(entry).toMatchObject({ computeMsat: 0n, auditMsat: 0n, returnedMsat: BUDGET_MSAT })
  expect(site.coordinator().books.ledger.balance('budget/1').postedMsat).toBe(0n)
})

test('what a quarantined budget can’t pay stops nothing: other epochs mature, and are the worker’s', async () => {
  await using site = await openSite(node, { flags: { 'payout.thresholdSats': '2000000' } })
  const [worker, other, operator] = await threePeers(site)
  const { db, ledger } = site.coordinator().books
  await worksOf(worker.work(undefined, 4))
  db.prepare(`UPDATE ledger_account SET quarantined = 1 WHERE name = 'budget/0'`).run()
  await site.mineTo(site.startHeight + EPOCH_BLOCKS)
  await worksOf(worker.work(undefined, 4))
  await site.mineAudited([other, operator], 'both to mature', () =>
    site.status().epochs.some(({ number, matured }) => number === 1 && matured),
  )
  const [unpostedMsat, postedMsat] = [accrued(site, 0, worker, 'tiny'), accrued(site, 1, worker, 'tiny')]
  expect(unpostedMsat).toBeGreaterThan(0n)
  expect(postedMsat).toBeGreaterThan(0n)
  expect(ledger.balance(unmaturedAccount(worker.hex)).postedMsat).toBe(0n)
  expect(ledger.balance(maturedAccount(worker.hex)).postedMsat).toBe(postedMsat)
  expect(site.troubles).toEqual([])
})

async function threePeers(site: Site, workers = 2): Promise<[Peer, Peer, Peer]> {
  const [first, second, ...others] = await site.begin(workers)
  const last = others.at(-1)
  if (first === undefined || second === undefined || last === undefined) throw new Error('too few peers')
  return [first, second, last]
}

function verdictsOf(site: Site, works: readonly Work[]): Set<unknown> {
  const select = site.coordinator().books.db.prepare('SELECT verdict FROM receipt WHERE id = ?').pluck()
  return new Set(works.map(({ receipt }) => select.get(receiptId(receipt))))
}

function roundsDrawn(site: Site): number {
  const select = 'SELECT coalesce(max(round) + 1, 0) FROM audit'
  return Number(site.coordinator().books.db.prepare(select).pluck().get())
}

function openItems(site: Site): number {
  const select = `SELECT count(*) FROM item WHERE state = 'open'`
  return Number(site.coordinator().books.db.prepare(select).pluck().get())
}

function accrued(site: Site, epoch: number, peer: Peer, subnet: string): bigint {
  const select = site
    .coordinator()
    .books.db.prepare<[number, Uint8Array, string], bigint>(
      'SELECT coalesce(sum(msat), 0) FROM accrual WHERE epoch = ? AND worker = ? AND subnet = ?',
    )
    .pluck()
  return select.get(epoch, peer.key, subnet) ?? 0n
}

function paidMsatOf(site: Site, peer: Peer): bigint {
  return site.status().workers.find(({ worker }) => worker === peer.hex)?.paidMsat ?? 0n
}
