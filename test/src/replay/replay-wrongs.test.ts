import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type RegtestNode, startBitcoind } from '../../../regtest/start-bitcoind.ts'
import { txidBytes } from '../../../src/log/txid.ts'
import type { Rule } from '../../../src/replay/findings.ts'
import { type ReplayReport, replay } from '../../../src/replay/replay.ts'
import { assignItem, assignmentHeight, itemName } from '../../../src/rules/assignment.ts'
import { epochRules } from '../../../src/rules/epoch-rules.ts'
import { idOf, type Peer, worksOf } from '../coordinator/peer.ts'
import { openSite, type Site } from '../coordinator/site.ts'
import { cheatedOutput } from '../coordinator/tiny-market.ts'
import { begin, isSettled, settled } from './begun-site.ts'
import { find, recordLog, SAMPLED_MARKET } from './recorded-log.ts'

let node: RegtestNode
beforeAll(async () => {
  node = await startBitcoind()
})
afterAll(() => node.stop())

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

async function replayed(site: Site): Promise<ReplayReport> {
  return replay(await recordLog(site, node))
}

function failingIn({ rules }: ReplayReport): Rule[] {
  return rules.filter(({ failed }) => failed > 0).map(({ name }) => name)
}
