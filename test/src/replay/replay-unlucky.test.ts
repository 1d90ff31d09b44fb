import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { signCommitments } from '../../../compute/work/audit-commitment.ts'
import { encodeCbor } from '../../../compute/work/canonical-cbor.ts'
import { jobId } from '../../../compute/work/job.ts'
import { receiptId } from '../../../compute/work/receipt.ts'
import { type RegtestNode, startBitcoind } from '../../../regtest/start-bitcoind.ts'
import { encodeEntry, parseEntry } from '../../../src/log/entry.ts'
import { txidBytes } from '../../../src/log/txid.ts'
import type { Rule } from '../../../src/replay/findings.ts'
import { type ReplayReport, replay } from '../../../src/replay/replay.ts'
import type { ReplaySource } from '../../../src/replay/replay-source.ts'
import { assignItem, assignmentHeight, itemName } from '../../../src/rules/assignment.ts'
import { epochRules } from '../../../src/rules/epoch-rules.ts'
import { epochEntry } from '../coordinator/epoch-entry.ts'
import { idOf, type Peer, worksOf } from '../coordinator/peer.ts'
import { ORIGIN, openSite, type Site } from '../coordinator/site.ts'
import { cheatedOutput, STRICT_MARKET } from '../coordinator/tiny-market.ts'
import { entriesOf, find, inOrder, recordLog, SAMPLED_MARKET } from './recorded-log.ts'

let node: RegtestNode
beforeAll(async () => {
  node = await startBitcoind()
})
afterAll(() => node.stop())

describe('what went otherwise than planned follows from the log all the same:', () => {
  test('auditors that keep silent three times over', async () => {
    await using site = await openSite(node, {
      subnets: [STRICT_MARKET],
      flags: { 'epoch.verdictBlocks': '16' },
    })
    const [worker, , operator] = await begin(site, 3)
    const works = await worksOf(worker.work())
    await site.mineUntil('void receipts', () => site.status().audits.void === works.length)
    await settled(site)
    expect(new Set(epochEntry(site, 0).reasons.values())).toEqual(new Set(['inconclusive']))
    const log = await recordLog(site, node)
    expect(await replay(log)).toMatchObject({ ok: true, first: null })

    const [first, second, third] = (await entriesOf(log)).flatMap((bytes, i) =>
      parseEntry(bytes).kind === 'verdict' ? [i] : [],
    )
    const [work] = works
    if (first === undefined || second === undefined || third === undefined || work === undefined)
      throw new Error('three rounds')
    const fourth = await replay(await withFourthRound(log, third, operator, receiptId(work.receipt)))
    expect(firstOf(fourth, 'audits')).toMatchObject({ code: 'round_not_open', entry: third + 1 })
    const hasty = await replay(await withTimeForOne(log, first, second))
    expect(firstOf(hasty, 'verdicts')).toMatchObject({ code: 'silence_early', entry: second })
  })

  test('auditors that can not run the job, and say so', async () => {
    await using site = await openSite(node)
    const [worker, other, operator] = await begin(site)
    await worksOf(worker.work())
    await site.mineUntil('the draw', () => site.status().audits.rounds > 0)
    await other.audit(() => null)
    await site.mineAudited([other, operator], 'the settlement', () => isSettled(site))
    expect(await replayed(site)).toMatchObject({ ok: true, first: null })
  })

  test('a second round after a silent one', async () => {
    await using site = await openSite(node, { flags: { 'epoch.verdictBlocks': '16' } })
    const [worker, second, operator] = await begin(site)
    await worksOf(worker.work(cheatedOutput))
    await site.mine(8)
    await site.mineAudited([second, operator], 'the settlement', () => isSettled(site))
    expect(await replayed(site)).toMatchObject({ ok: true, first: null })
  })

  test('a lease given back, taken again and answered twice', async () => {
    await using site = await openSite(node)
    const [worker, other, operator] = await begin(site)
    const lost = await worker.lease()
    await worker.call('/v1/failures', {
      failures: lost.map(({ job }) => ({ job: jobId(job), reason: 'the test gives it back' })),
    })
    const late = await worker.hold(lost)
    const works = await worksOf(worker.work())
    await worker.submit(worker.draft(late.map(({ receipt }) => receipt)))
    await site.mineAudited([worker, other, operator], 'the settlement', () => isSettled(site))
    const { reasons } = epochEntry(site, 0)
    expect(works.map((work) => reasons.get(idOf(work)))).toEqual(works.map(() => 'earned'))
    expect(new Set(late.map((work) => reasons.get(idOf(work))))).toEqual(new Set(['repeated']))
    expect(await replayed(site)).toMatchObject({ ok: true, first: null })
  })

  test('a budget that was anchored too late', async () => {
    await using site = await openSite(node)
    const [worker, other, operator] = await begin(site)
    while ((site.coordinator().advancedTo() ?? 0) < site.startHeight + 6) {
      await node.rpc.call('generateblock', 'raw(51)', [])
      await site.coordinator().kick()
    }
    await worksOf(worker.work())
    await site.mineAudited([other, operator], 'the settlement of epoch 1', () => isSettled(site, 1))
    expect(epochEntry(site, 1).entry.computeMsat).toBe(0n)
    expect(await replayed(site)).toMatchObject({ ok: true, first: null })
  })

  test('an anchor that a reorganisation took out of the chain', async () => {
    await using site = await openSite(node, {
      flags: { 'epoch.finalDepth': '3', 'payout.thresholdSats': '2000' },
    })
    const [worker, other, operator] = await begin(site)
    await worksOf(worker.work())
    const entry = site.coordinator().books.log.size() - 1
    await site.mineUntil('the anchor over the work', () => site.anchored().first(entry) !== null)
    await node.reorg(2)
    await site.coordinator().kick()
    await site.mineAudited([other, operator], 'the payout', () =>
      site.status().payouts.some(({ state }) => state === 'settled'),
    )
    expect(await replayed(site)).toMatchObject({ ok: true, first: null })
  })
})

describe('what the operator did wrong is named, and nothing else:', () => {
  test('verdicts that came too late', async () => {
    await using site = await openSite(node, { flags: { 'epoch.auditRoundBlocks': '100' } })
    const [worker, other, operator] = await begin(site)
    const works = await worksOf(worker.work(cheatedOutput))
    await settled(site)
    await other.audit()
    await operator.audit()
    // Late as they are, so many fails may suspend the worker: then there is no payout to wait for.
    await site.mineUntil('the maturity', () => site.status().epochs.some(({ matured }) => matured))
    const report = await replayed(site)
    const { index } = await find(await recordLog(site, node), 'epoch')
    expect(report.first).toMatchObject({ rule: 'sampling', code: 'audit_missed', entry: index })
    expect(report.sample).toEqual({ receipts: works.length, due: works.length, missed: works.length })
    expect(report.missedAudits.map(({ receipt }) => receipt)).toEqual(works.map(idOf))
    const own = new Set([other.hex, operator.hex])
    for (const missed of report.missedAudits) {
      expect(missed).toMatchObject({
        epoch: 0,
        auditors: [expect.any(String)],
        lateEntry: expect.any(Number),
      })
      expect(own.has(missed.auditors[0] ?? '')).toBe(true)
      expect(missed.lateEntry).toBeGreaterThan(index)
    }
    expect(failingIn(report)).toEqual(['sampling'])
  })

  test('audits that nobody did, by whom they were due', async () => {
    await using site = await openSite(node, { flags: { 'epoch.auditRoundBlocks': '100' } })
    const [worker, other, operator] = await begin(site)
    const works = await worksOf(worker.work())
    await settled(site)
    const { missedAudits, sample } = await replayed(site)
    expect(sample.missed).toBe(works.length)
    const drawn = site
      .coordinator()
      .books.db.prepare<[], Buffer>(
        'SELECT auditor FROM audit JOIN receipt ON receipt.id = receipt ORDER BY position',
      )
      .pluck()
      .all()
    expect(missedAudits.map(({ auditors }) => auditors)).toEqual(drawn.map((key) => [key.toString('hex')]))
    expect(new Set(missedAudits.map(({ lateEntry }) => lateEntry))).toEqual(new Set([null]))
    expect(drawn.every((key) => [other.hex, operator.hex].includes(key.toString('hex')))).toBe(true)
  })

  test('items that it assigned by its own choice', async () => {
    await using site = await openSite(node)
    const [favourite, other, operator] = await begin(site)
    site
      .coordinator()
      .books.db.prepare('UPDATE item SET assignee = ? WHERE assignee = ?')
      .run(favourite.key, other.key)
    expect(await worksOf(favourite.work())).toHaveLength(24)
    await site.mineAudited([favourite, other, operator], 'the settlement', () => isSettled(site))
    const report = await replayed(site)
    const { index } = await find(
      await recordLog(site, node),
      'jobs',
      ({ worker }) => Buffer.compare(worker, favourite.key) === 0,
    )
    expect(report.first).toMatchObject({ rule: 'assignment', code: 'not_assigned', entry: index })
    expect(failingIn(report)).toEqual(['assignment'])
  })

  test('an item of those at work that it gave to a key that had never worked', async () => {
    await using site = await openSite(node, { subnets: [SAMPLED_MARKET] })
    const [worker, idle, operator] = await begin(site)
    expect(await worksOf(worker.work(undefined, 1))).toHaveLength(1)
    const audited = (passed: number) => () => site.status().audits.passed === passed
    await site.mineAudited([idle, operator], 'the verdict', audited(1))
    await settled(site)
    await site.anchorAll()
    // The next one's beacon may be mined.
    const epoch = (site.status().epoch ?? 0) + 2
    await site.mineUntil(`epoch ${epoch}`, () => site.status().epoch === epoch)

    const { db } = site.coordinator().books
    const itemsOf = db
      .prepare<[number, Uint8Array], number>('SELECT item FROM item WHERE epoch = ? AND assignee = ?')
      .pluck()
    const height = assignmentHeight(epoch, epochRules(site.house().genesis))
    const [offset = 0] = txidBytes(String(await node.rpc.call('getblockhash', height)))
    const [lent, ...atWork] = itemsOf.all(epoch, worker.key).map(Number)
    const newcomers = itemsOf.all(epoch, idle.key).map(Number)
    expect(newcomers.length).toBeGreaterThan(0)
    expect(newcomers.every((item) => (item + offset) % 16 === 0)).toBe(true)
    expect(atWork.some((item) => (item + offset) % 16 === 0)).toBe(false)

    db.prepare('UPDATE item SET assignee = ? WHERE item = ?').run(idle.key, lent)
    const works = await worksOf(idle.work())
    expect(works).toHaveLength(newcomers.length + 1)
    await site.mineAudited([worker, operator], 'its verdicts', audited(1 + works.length))
    await site.mineUntil('its settlement', () => isSettled(site, epoch))
    const report = await replayed(site)
    expect(report.first).toMatchObject({ rule: 'assignment', code: 'not_assigned' })
    expect(report.rules.filter(({ failed }) => failed > 0)).toMatchObject([{ name: 'assignment', failed: 1 }])
  })

  test('an item that it put up out of turn, for a worker of its choice', async () => {
    await using site = await openSite(node, { subnets: [SAMPLED_MARKET] })
    const [favourite, other, operator] = await begin(site)
    await putUpLaterItem(site, favourite, [favourite.key, other.key])
    await worksOf(favourite.work())
    await site.mineAudited([favourite, other, operator], 'the settlement', () => isSettled(site))
    const report = await replayed(site)
    expect(report.first).toMatchObject({ rule: 'assignment', code: 'item_out_of_turn' })
    expect(failingIn(report)).toEqual(['assignment'])
  })

  test('an account that it changed in its database', async () => {
    await using site = await openSite(node)
    const [worker, other, operator] = await begin(site)
    await worksOf(worker.work())
    await site.mineAudited([worker, other, operator], 'the settlement', () => isSettled(site))
    const { ledger } = site.coordinator().books
    ledger.post([
      {
        id: 'gift',
        debit: 'reserve',
        credit: `worker/${other.hex}/matured`,
        amountMsat: 1n,
        code: 'gift',
        entryIndex: 0,
      },
    ])
    const report = await replayed(site)
    expect(report.first).toMatchObject({ rule: 'balances', code: 'balance_mismatch', entry: null })
    expect(failingIn(report)).toEqual(['balances'])
  })
})

async function begin(site: Site, workers = 2): Promise<[Peer, Peer, Peer]> {
  const [first, second, ...others] = await site.begin(workers)
  const last = others.at(-1)
  if (first === undefined || second === undefined || last === undefined) throw new Error('too few peers')
  return [first, second, last]
}

/** A commitment for it, right after the entry at `index`. */
async function withFourthRound(
  log: ReplaySource,
  index: number,
  { key: auditor, secretKey }: Peer,
  receipt: Uint8Array,
): Promise<ReplaySource> {
  const list = [{ commitment: new Uint8Array(32), receipt, round: 3 }]
  const signature = signCommitments(list, ORIGIN, secretKey)
  const audit = encodeEntry({ v: 1, kind: 'audit', auditor, commitments: encodeCbor(list), signature })
  const entries = (await entriesOf(log)).toSpliced(index + 1, 0, audit)
  return { ...log, entries: () => inOrder(entries) }
}

/** By its anchors, both verdicts were logged when the first auditor's time was over. */
async function withTimeForOne(log: ReplaySource, first: number, second: number): Promise<ReplaySource> {
  const { epoch } = (await find(log, 'genesis')).entry
  const { index: worked } = await find(log, 'submission')
  const anchoredHeight = log.anchors.find(({ size }) => size > worked)?.height ?? 0
  const height = anchoredHeight + epoch.beaconDelay + epoch.auditRoundBlocks + 1
  const others = log.anchors.filter(({ size }) => size <= first || size > second + 1)
  const anchors = [...others, { height, size: second + 1 }].sort((x, y) => x.size - y.size)
  return { ...log, anchors }
}

/** Of the items after those of epoch 0, the first that its beacon would give to the favourite. */
async function putUpLaterItem(site: Site, favourite: Peer, workers: Uint8Array[]): Promise<void> {
  const height = assignmentHeight(0, epochRules(site.house().genesis))
  const beacon = txidBytes(String(await node.rpc.call('getblockhash', height)))
  const { db } = site.coordinator().books
  const later = db
    .prepare<[], { item: bigint; model: Uint8Array; input: Uint8Array }>(
      'SELECT item, model, input FROM item WHERE epoch IS NULL',
    )
    .all()
  const chosen = later.find(({ model, input }) => {
    const assignee = assignItem({ beacon, subnet: 'tiny', item: itemName(model, input), workers })
    return assignee !== null && Buffer.compare(assignee, favourite.key) === 0
  })
  if (chosen === undefined) throw new Error('the beacon has none for the favourite')
  db.prepare('UPDATE item SET epoch = 0, assignee = ? WHERE item = ?').run(favourite.key, chosen.item)
}

function settled(site: Site): Promise<void> {
  return site.mineUntil('the settlement', () => isSettled(site))
}

function isSettled(site: Site, epoch = 0): boolean {
  return site.status().epochs.some((one) => one.number === epoch && one.settled)
}

async function replayed(site: Site): Promise<ReplayReport> {
  return replay(await recordLog(site, node))
}

function firstOf({ rules }: ReplayReport, rule: Rule) {
  return rules.find(({ name }) => name === rule)?.first
}

function failingIn({ rules }: ReplayReport): Rule[] {
  return rules.filter(({ failed }) => failed > 0).map(({ name }) => name)
}
