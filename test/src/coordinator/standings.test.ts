import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { encodeCbor } from '../../../compute/work/canonical-cbor.ts'
import { parseJob } from '../../../compute/work/job.ts'
import { sha256 } from '../../../compute/work/tagged-hash.ts'
import { type RegtestNode, startBitcoind } from '../../../regtest/start-bitcoind.ts'
import { unmaturedAccount } from '../../../src/ledger/accounts.ts'
import { type Entry, parseEntry } from '../../../src/log/entry.ts'
import { replay } from '../../../src/replay/replay.ts'
import { maturityHeight } from '../../../src/rules/epoch.ts'
import { epochRules } from '../../../src/rules/epoch-rules.ts'
import { modelOf } from '../../../src/rules/standings.ts'
import { recordLog } from '../replay/recorded-log.ts'
import { epochEntry } from './epoch-entry.ts'
import { leaseOne, openRequester } from './paying-requester.ts'
import { idOf, type LeasedJob, type Peer, problemIn, worksOf } from './peer.ts'
import { openSite, type Site, TOKEN } from './site.ts'
import { cheatedOutput, STRICT_MARKET, TINY_MODEL, TWIN_MODEL, tinyOutput } from './tiny-market.ts'

/** Which suspend nobody. */
const FEW_FAILS = 3

let node: RegtestNode
beforeAll(async () => {
  node = await startBitcoind()
})
afterAll(() => node.stop())

describe('a worker that earns, then cheats', () => {
  test('loses what is unmatured, is refused until its return, and the others are paid', async () => {
    await using site = await openSite(node, {
      // 100 msat for each of 7 units, a tenth of it the operator's.
      subnets: [{ ...STRICT_MARKET, price: 10n ** 17n, operatorBasisPoints: 1_000 }],
      flags: { 'epoch.maturityBlocks': '30', 'epoch.suspensionBlocks': '30' },
    })
    const requester = await openRequester(site, 'acme')
    await node.fund(requester.depositAddress, 50_000n)
    const people = await begin(site, 3)
    const [cheat, honest, other] = people
    const bought = requester.ask()
    const held = await cheat.hold([await leaseOne(cheat)])
    await cheat.submit(cheat.draft(held.map(({ receipt }) => receipt)))
    expect((await bought).ok).toBe(true)
    await cheat.work()
    await honest.work()
    await other.work()
    await site.mineAudited(
      people,
      'the first settlement and new work',
      () => isSettled(site, 0) && hasWork(site),
    )
    const earnedMsat = workerStatus(site, cheat).unmaturedMsat
    expect(earnedMsat).toBeGreaterThan(0n)

    const cheated = await worksOf(cheat.work(cheatedOutput))
    await honest.work()
    await site.mineAudited(people, 'the suspension', () => workerStatus(site, cheat).standing === 'suspended')
    const told = standingEntries(site)
    const status = told.find(({ entry }) => entry.kind === 'status' && entry.status === 'suspended')
    const forfeit = told.find(({ entry }) => entry.kind === 'forfeit')
    expect(forfeit?.entry).toMatchObject({ msat: earnedMsat, status: status?.index, worker: cheat.key })
    expect(workerStatus(site, cheat)).toMatchObject({ unmaturedMsat: 0n, forfeitedMsat: earnedMsat })
    // Who paid for its work gets that back first, all but the operator's share; the rest is the reserve's.
    const { ledger } = site.coordinator().books
    const moved = ledger.transfers({ entryIndex: forfeit?.index ?? -1 })
    expect(moved.map(({ credit, amountMsat }) => [credit, amountMsat])).toEqual([
      ['requester/acme', 630n],
      ['reserve', earnedMsat - 630n],
    ])
    expect(moved.map(({ debit }) => debit)).toEqual(moved.map(() => unmaturedAccount(cheat.hex)))
    expect(await requester.balances()).toMatchObject({ balanceMsat: 50_000_000n - 70n })

    for (const [path, body] of [
      ['/v1/leases', { max: 1, waitMs: 0 }],
      ['/v1/audits/leases', { max: 1, waitMs: 0 }],
      ['/v1/submissions', cheat.draft([new Uint8Array(1)])],
      ['/v1/results', { results: [] }],
    ] as const) {
      expect(await problemIn(await cheat.post(path, encodeCbor(body)))).toMatchObject({
        status: 403,
        code: 'worker_suspended',
        read: `/v1/workers/${cheat.hex}`,
      })
    }

    const loyal = people.filter((peer) => peer !== cheat)
    await site.mineAudited(loyal, 'the settlement of the cheated epoch', () =>
      isSettled(site, cheatedEpoch(site)),
    )
    const { reasons } = epochEntry(site, cheatedEpoch(site))
    const fates = new Set(cheated.map((work) => reasons.get(idOf(work))))
    expect(fates.has('fail')).toBe(true)
    expect([...fates].every((reason) => reason === 'fail' || reason === 'suspended')).toBe(true)

    const view = Object(await (await fetch(`${site.url}/v1/workers/${cheat.hex}`)).json())
    expect(view.standing).toMatchObject({
      standing: 'suspended',
      scoreNats: 16,
      since: status?.index,
      forfeited: [{ entry: forfeit?.index, msat: `${earnedMsat}` }],
    })
    const dueHeight = view.standing.returnHeight
    expect(dueHeight).toBe(anchorHeight(site, status?.index ?? 0) + site.config.epoch.suspensionBlocks)
    await expect(cheat.lease()).rejects.toThrow('worker_suspended')

    await site.mineAudited(loyal, 'the return', () => workerStatus(site, cheat).standing === 'good')
    expect(site.coordinator().advancedTo()).toBe(dueHeight)
    await cheat.lease()
    await site.mineAudited(loyal, 'the payout', () =>
      site.status().payouts.some(({ state }) => state === 'settled'),
    )
    expect(await site.satsOnChain(cheat.address)).toBe(0n)
    expect(await site.satsOnChain(honest.address)).toBeGreaterThan(0n)
    await site.anchorAll()
    await site.mine(site.config.epoch.finalDepth)
    expect(await replay(await recordLog(site, node))).toMatchObject({ ok: true, first: null })
    expect(site.troubles).toEqual([])
  })
})

test('what unrelated workers fail on together is frozen, alone, convicts nobody, and matures when the operator says why', async () => {
  const twin = STRICT_MARKET.models.map((model) => ({ ...model, name: 'twin', file: TWIN_MODEL }))
  await using site = await openSite(node, {
    subnets: [{ ...STRICT_MARKET, models: [...STRICT_MARKET.models, ...twin] }],
    flags: { 'epoch.maturityBlocks': '24' },
  })
  const people = await begin(site, 4)
  const [, , , honest] = people
  const workers = people.slice(0, 3)
  for (const worker of people.slice(0, 4)) await worker.work()
  await site.mineAudited(
    people,
    'the first settlement and new work',
    () => isSettled(site, 0) && hasWork(site),
  )
  await cheatOnOne(site, people, workers)
  const [frozen] = site.status().frozen
  const dueHeight = maturityHeight(0, epochRules(site.house().genesis))
  await site.mineTo(Math.max(dueHeight, site.coordinator().advancedTo() ?? 0))
  expect(site.status().epochs.find(({ number }) => number === 0)?.matured).toBe(true)
  expect(site.status().workers.map(({ standing }) => standing)).not.toContain('suspended')
  expect(fatesOf(site, 0, TINY_MODEL)).toEqual(new Set([null]))
  expect(fatesOf(site, 0, TWIN_MODEL, honest)).toEqual(new Set(['matured']))

  const thaw = (status: string, model = modelOf(frozen?.model ?? '').digest) =>
    fetch(`${site.url}/v1/operator/thaws`, {
      method: 'POST',
      headers: { authorization: `Bearer ${TOKEN}` },
      body: new Uint8Array(encodeCbor({ subnet: 'tiny', model, status })),
    })
  expect(await problemIn(await thaw('upheld', new Uint8Array(32)))).toMatchObject({
    code: 'model_not_frozen',
  })
  expect((await thaw('recalibrated')).status).toBe(201)
  expect(site.status().frozen).toEqual([])
  expect(workers.map((worker) => workerStatus(site, worker).standing)).toEqual(['good', 'good', 'good'])
  expect(fatesOf(site, 0, TINY_MODEL)).toEqual(new Set(['matured']))

  // The same once more, and this time they are found to have cheated together.
  await site.mineAudited(people, 'work again', () => hasWork(site))
  await cheatOnOne(site, people, workers)
  const [again] = site.status().frozen
  expect((await thaw('upheld', modelOf(again?.model ?? '').digest)).status).toBe(201)
  expect(site.status().workers.map(({ standing }) => standing)).toContain('suspended')
  await site.anchorAll()
  await site.mine(site.config.epoch.finalDepth)
  expect(await replay(await recordLog(site, node))).toMatchObject({ ok: true, first: null })
})

async function begin(site: Site, workers: number): Promise<[Peer, Peer, Peer, Peer, ...Peer[]]> {
  const [first, second, third, fourth, ...others] = await site.begin(workers)
  if (!first || !second || !third || !fourth) throw new Error('too few peers')
  return [first, second, third, fourth, ...others]
}

function workerStatus(site: Site, peer: Peer) {
  const found = site.status().workers.find(({ worker }) => worker === peer.hex)
  if (found === undefined) throw new Error('not registered')
  return found
}

/**
 * Of the two models that they have work for, until it is frozen: as a driver would have it that is wrong on all their machines. Each
 * has failed before any has failed often, so that no order in which their audits come in convicts one.
 */
async function cheatOnOne(site: Site, people: Peer[], workers: Peer[]): Promise<void> {
  const { failed } = site.status().audits
  let few = 0
  const later: (() => Promise<unknown>)[] = []
  for (const worker of workers) {
    const jobs = await worker.lease()
    const isOne = ({ job }: LeasedJob) => Buffer.compare(parseJob(job).model, sha256(TINY_MODEL)) === 0
    const first = jobs.filter(isOne).slice(0, FEW_FAILS)
    const rest = jobs.filter((job) => !first.includes(job))
    const submit = async (some: LeasedJob[]) => {
      const results = some.map((job, index) =>
        worker.answer(job, index, isOne(job) ? cheatedOutput : tinyOutput),
      )
      await worker.call('/v1/results', { results })
      await worker.submit(worker.draft(results.map(({ receipt }) => receipt)))
    }
    await submit(first)
    few += first.length
    later.push(() => submit(rest))
  }
  await site.mineAudited(people, 'the first fails', () => site.status().audits.failed >= failed + few)
  for (const submitRest of later) await submitRest()
  await site.mineAudited(people, 'the freeze', () => site.status().frozen.length > 0)
}

/** What became of the rewards of an epoch's work on a model, of everybody or one worker. */
function fatesOf(site: Site, epoch: number, model: Uint8Array, peer?: Peer): Set<unknown> {
  const select = `SELECT fate FROM accrual WHERE epoch = ? AND subnet = 'tiny' AND model = ? AND worker = coalesce(?, worker)`
  const digest = Buffer.from(sha256(model)).toString('hex')
  return new Set(
    site
      .coordinator()
      .books.db.prepare(select)
      .pluck()
      .all(epoch, digest, peer?.key ?? null),
  )
}

function standingEntries(site: Site): { index: number; entry: Entry }[] {
  const { log } = site.coordinator().books
  return [...log.entries(0, log.size())]
    .map((bytes, index) => ({ index, entry: parseEntry(bytes) }))
    .filter(({ entry }) => entry.kind === 'forfeit' || (entry.kind === 'status' && entry.subject !== 'epoch'))
}

function isSettled(site: Site, epoch: number): boolean {
  return site.status().epochs.some(({ number, settled }) => number === epoch && settled)
}

function hasWork(site: Site): boolean {
  return site.status().work.itemsAssigned > 0
}

/** The epoch whose blocks anchored the last submission. */
function cheatedEpoch(site: Site): number {
  const { db } = site.coordinator().books
  const entry = db.prepare<[], bigint>('SELECT max(entry_index) FROM submission').pluck().get()
  return Math.floor((anchorHeight(site, Number(entry)) - site.startHeight) / site.config.epoch.blocks)
}

function anchorHeight(site: Site, entry: number): number {
  const anchor = site.anchored().first(entry)
  if (anchor === null) throw new Error(`entry ${entry} is not anchored`)
  return anchor.height
}
