import { afterAll, beforeAll, expect, test } from 'vitest'
import { submissionId } from '../../../compute/work/submission.ts'
import { type RegtestNode, startBitcoind } from '../../../regtest/start-bitcoind.ts'
import { decideAuditor, readAuditors } from '../../../src/client/auditors.ts'
import { parseEntry } from '../../../src/log/entry.ts'
import { auditRate, drawAuditor, isSampled } from '../../../src/rules/sampling.ts'
import type { Peer } from './peer.ts'
import { BUDGET_MSAT, openSite, type Site, TOKEN } from './site.ts'
import { tinyInput, tinyMarket } from './tiny-market.ts'

/** One of three keys gets fewer than four once in 10^12 runs; all alike (DESIGN §8: 95 % to who computed). */
const ITEMS_PER_EPOCH = 96
const ITEMS = Array.from({ length: 2 * ITEMS_PER_EPOCH }, (_, item) => tinyInput(item + 1))
const REWARD_MSAT = (BUDGET_MSAT * 95n) / 100n / BigInt(ITEMS_PER_EPOCH)
const FLOOR = { numerator: 1n, denominator: 100n }
const BEACON_DELAY = 1
/** As in the site's calendar: two confirmations. */
const FINAL_DEPTH = 2

let node: RegtestNode
beforeAll(async () => {
  node = await startBitcoind()
})
afterAll(() => node.stop())

interface Drawn {
  position: bigint
  sampled: bigint
  auditor: Uint8Array | null
}

test('the beacon alone decides what is audited and by whom, at the rate that the worker has at stake', async () => {
  await using site = await openSite(node, {
    flags: { 'epoch.maturityBlocks': '100', 'epoch.auditRoundBlocks': '100' },
    subnets: [
      tinyMarket({
        auditFloor: { numerator: 1, denominator: 100 },
        dataset: { items: ITEMS, perEpoch: ITEMS_PER_EPOCH },
      }),
    ],
  })
  const peers = await site.begin(3)
  const [worker] = peers
  if (worker === undefined) throw new Error('no worker')
  const auditors = peers.filter((peer) => peer !== worker)

  // A new key has nothing at stake: all of it is audited.
  const first = await worker.lease()
  expect(first.length).toBeGreaterThan(3)
  expect(await drawOf(site, worker, first)).toEqual(await expectedDraw(site, worker, peers, 0n, first.length))
  await site.mineAudited(auditors, 'the settlement', () =>
    site.status().workers.some(({ unmaturedMsat }) => unmaturedMsat > 0n),
  )
  const [{ unmaturedMsat } = { unmaturedMsat: 0n }] = site.status().workers
  expect(unmaturedMsat).toBe(BigInt(first.length) * REWARD_MSAT)

  // Now it has, and of many receipts a few are: 4 for each that pays as much.
  const more = await worker.lease()
  const drawn = await drawOf(site, worker, more)
  expect(drawn).toEqual(await expectedDraw(site, worker, peers, unmaturedMsat, more.length))
  expect(site.troubles).toEqual([])
})

test('keys that nobody has admitted, or that are admitted no more, are drawn for nothing', async () => {
  await using site = await openSite(node, {
    flags: { 'epoch.auditRoundBlocks': '100' },
    subnets: [tinyMarket({ dataset: { items: ITEMS, perEpoch: ITEMS_PER_EPOCH } })],
  })
  const [worker, withdrawn, operator] = await site.begin(2)
  if (worker === undefined || withdrawn === undefined || operator === undefined)
    throw new Error('three peers')
  for (let i = 0; i < 12; i += 1) await site.peer()
  const works = await worker.hold(await worker.lease())
  expect(works.length).toBeGreaterThan(3)
  const decision = { worker: withdrawn.key, status: 'withdrawn', reason: 'the test says so' } as const
  await decideAuditor(site.url, TOKEN, decision)
  await worker.submit(worker.draft(works.map(({ receipt }) => receipt)))
  await site.mineUntil('the draw', () => site.status().audits.sampled === works.length)
  const auditors = site.coordinator().books.db.prepare<[], Buffer>('SELECT auditor FROM audit').pluck().all()
  expect(auditors.map((key) => key.toString('hex'))).toEqual(works.map(() => operator.hex))
  const answer = await readAuditors(site.url)
  expect(answer.auditors).toEqual([
    expect.objectContaining({ auditor: worker.hex, openRounds: 0, reason: 'known to the test' }),
    { auditor: operator.hex, address: operator.address, entry: null, reason: null, openRounds: works.length },
  ])
})

/** Works these jobs and waits for the draw: not a block before the beacon is final. */
async function drawOf(site: Site, worker: Peer, jobs: Awaited<ReturnType<Peer['lease']>>): Promise<Drawn[]> {
  const works = await worker.hold(jobs)
  const { index } = await worker.submit(worker.draft(works.map(({ receipt }) => receipt)))
  await site.mineUntil('the anchor', () => site.anchored().first(index) !== null)
  const anchorHeight = site.anchored().first(index)?.height ?? 0
  const dueHeight = anchorHeight + BEACON_DELAY + FINAL_DEPTH - 1
  await site.mineTo(dueHeight - 1)
  expect(site.status().work.undrawn).toBe(1)
  await site.mineTo(dueHeight)
  expect(site.status().work.undrawn).toBe(0)
  return site
    .coordinator()
    .books.db.prepare<[number], Drawn>(
      `SELECT position, sampled, auditor FROM receipt LEFT JOIN audit ON audit.receipt = receipt.id AND round = 0
        WHERE submission = ? ORDER BY position`,
    )
    .all(index)
}

/** The same from the chain and the rules, for the worker's last submission. */
async function expectedDraw(site: Site, worker: Peer, peers: Peer[], unmaturedMsat: bigint, count: number) {
  const { db, log } = site.coordinator().books
  const index = Number(db.prepare('SELECT max(entry_index) FROM submission').pluck().get())
  const height = (site.anchored().first(index)?.height ?? 0) + BEACON_DELAY
  const beacon = Buffer.from(String(await node.rpc.call('getblockhash', height)), 'hex').reverse()
  const entry = Object(parseEntry(log.entry(index)))
  const rate = auditRate({ rewardMsat: REWARD_MSAT, unmaturedMsat, floor: FLOOR })
  return Array.from({ length: count }, (_, position) => {
    const receipt = { beacon, submissionId: submissionId(entry.header), index: position }
    const sampled = isSampled({ ...receipt, rate })
    const candidates = peers.filter((peer) => peer !== worker).map(({ key }) => key)
    const auditor = sampled ? drawAuditor({ ...receipt, round: 0, candidates }) : null
    return {
      position: BigInt(position),
      sampled: sampled ? 1n : 0n,
      auditor: auditor === null ? null : Buffer.from(auditor),
    }
  })
}
