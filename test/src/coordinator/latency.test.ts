import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { type RegtestNode, startBitcoind } from '../../../regtest/start-bitcoind.ts'
import { readStatement } from '../../../src/client/read-statement.ts'
import { replay } from '../../../src/replay/replay.ts'
import type { ReplaySource } from '../../../src/replay/replay-source.ts'
import { type ChangedLog, changeEntry, changeOpenings } from '../replay/changed-log.ts'
import { recordLog } from '../replay/recorded-log.ts'
import { epochEntry } from './epoch-entry.ts'
import { idOf, type Peer, type Work } from './peer.ts'
import { openSite, REWARD_MSAT, type Site } from './site.ts'
import { tinyMarket } from './tiny-market.ts'

const FOR_SPEED = tinyMarket({ objective: { name: 'latency', targetMs: 200, limitMs: 1_200 } })

let node: RegtestNode
let site: Site
let worker: Peer
let works: Work[]
let log: ReplaySource
beforeAll(async () => {
  node = await startBitcoind()
  site = await openSite(node, { subnets: [FOR_SPEED] })
  const [first, operator] = await site.begin(1)
  if (first === undefined || operator === undefined) throw new Error('two peers')
  worker = first
  works = await answerAfter(worker, [200, 700, 1_200])
  await worker.submit(worker.draft(works.map(({ receipt }) => receipt)))
  await site.mineAudited([operator], 'the settlement', () =>
    site.status().epochs.some(({ settled }) => settled),
  )
  await site.anchorAll()
  log = await recordLog(site, node)
})
afterEach(() => vi.useRealTimers())
afterAll(async () => {
  await site[Symbol.asyncDispose]()
  await node.stop()
})

test('who answers by the target earns the whole reward, half way to the limit half of it, at the limit nothing', () => {
  const { entry, reasons } = epochEntry(site, 0)
  expect(works.map((work) => reasons.get(idOf(work)))).toEqual(['earned', 'earned', 'too_late'])
  expect(entry.computeMsat).toBe(REWARD_MSAT + REWARD_MSAT / 2n)
})

test('the statement shows the times and what they left of each reward', async () => {
  const { receipts } = await readStatement(site.url, worker.hex, 0)
  const shown = receipts.map(({ leasedMs, answeredMs, share }) => [
    (answeredMs ?? 0) - (leasedMs ?? 0),
    share,
  ])
  expect(shown).toEqual([
    [200, { numerator: 1_000, denominator: 1_000 }],
    [700, { numerator: 500, denominator: 1_000 }],
    [1_200, { numerator: 0, denominator: 1_000 }],
  ])
})

test('the public log says the same', async () => {
  expect(await replay(log)).toMatchObject({ ok: true, first: null })
})

test.each<[string, string, (log: ReplaySource) => Promise<ChangedLog>]>([
  [
    'an answer that is said to have come 100 ms later',
    'epochs: accrual_mismatch',
    (log) => changeAnswers(log, (answeredMs) => answeredMs + 100),
  ],
  [
    'an answer before its lease',
    'openings: answered_early',
    (log) => changeAnswers(log, (answeredMs) => answeredMs - 100_000),
  ],
])('%s is named', async (_, expected, change) => {
  const { source, entry } = await change(log)
  const { ok, first } = await replay(source)
  const [rule, code] = expected.split(': ')
  expect(ok).toBe(false)
  expect(first).toMatchObject({ rule, code, entry })
})

test('a lease that is said to have been earlier is named where it is paid by', async () => {
  const { source } = await changeEntry(log, 'jobs', (entry) => ({ ...entry, leasedMs: entry.leasedMs - 100 }))
  expect((await replay(source)).first).toMatchObject({ rule: 'epochs', code: 'accrual_mismatch' })
})

/** One job each, answered so long after the lease by the one clock of this process; sent twice, the first time counts. */
async function answerAfter(worker: Peer, waitsMs: readonly number[]): Promise<Work[]> {
  vi.useFakeTimers({ toFake: ['Date'] })
  const leasedMs = Date.now()
  const jobs = await worker.lease(waitsMs.length)
  const sent: Work[] = []
  // Another receipt takes the place of this one, and its time that of the other.
  const [last] = jobs.slice(-1)
  if (last === undefined) throw new Error('no job')
  await worker.call('/v1/results', { results: [worker.answer(last, 0)] })
  for (const [i, waitedMs] of waitsMs.entries()) {
    const job = jobs[i]
    if (job === undefined) throw new Error(`job ${i} is not leased`)
    sent.push(worker.answer(job, i))
    vi.setSystemTime(leasedMs + waitedMs)
    expect(await worker.call('/v1/results', { results: sent })).toEqual({
      accepted: sent.length,
      answeredMs: leasedMs + waitedMs,
      refused: [],
    })
  }
  vi.useRealTimers()
  return sent
}

function changeAnswers(log: ReplaySource, change: (answeredMs: number) => number): Promise<ChangedLog> {
  return changeOpenings(log, (openings) =>
    openings.map(({ answeredMs, ...one }) => ({ ...one, answeredMs: change(Number(answeredMs)) })),
  )
}
