import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { signCommitments } from '../../../compute/work/audit-commitment.ts'
import { encodeCbor } from '../../../compute/work/canonical-cbor.ts'
import { jobId } from '../../../compute/work/job.ts'
import { receiptId } from '../../../compute/work/receipt.ts'
import { type RegtestNode, startBitcoind } from '../../../regtest/start-bitcoind.ts'
import { encodeEntry, parseEntry } from '../../../src/log/entry.ts'
import type { Rule } from '../../../src/replay/findings.ts'
import { type ReplayReport, replay } from '../../../src/replay/replay.ts'
import type { ReplaySource } from '../../../src/replay/replay-source.ts'
import { epochEntry } from '../coordinator/epoch-entry.ts'
import { idOf, type Peer, worksOf } from '../coordinator/peer.ts'
import { ORIGIN, openSite, type Site } from '../coordinator/site.ts'
import { cheatedOutput, STRICT_MARKET } from '../coordinator/tiny-market.ts'
import { begin, isSettled, settled } from './begun-site.ts'
import { entriesOf, find, inOrder, recordLog } from './recorded-log.ts'

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

async function replayed(site: Site): Promise<ReplayReport> {
  return replay(await recordLog(site, node))
}

function firstOf({ rules }: ReplayReport, rule: Rule) {
  return rules.find(({ name }) => name === rule)?.first
}
