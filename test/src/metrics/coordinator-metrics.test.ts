import { afterAll, beforeAll, expect, test } from 'vitest'
import { RpcError } from '../../../anchor/rpc-error.ts'
import type { Energy } from '../../../compute/work/receipt.ts'
import { type RegtestNode, startBitcoind } from '../../../regtest/start-bitcoind.ts'
import { renderStatus } from '../../../src/cli/status-screen.ts'
import { readStatus } from '../../../src/client/read-status.ts'
import { parseAccount } from '../../../src/ledger/accounts.ts'
import { createMetrics } from '../../../src/metrics/coordinator-metrics.ts'
import { createFailureCounter } from '../../../src/metrics/failure-counter.ts'
import { openModelStatistics } from '../../../src/oip/model-statistics.ts'
import { openSite, type Site, TREASURY_SATS } from '../coordinator/site.ts'
import { cheatedOutput, tinyMarket, tinyOutput } from '../coordinator/tiny-market.ts'
import { parseScrape, scrape } from './scrape.ts'

let node: RegtestNode
beforeAll(async () => {
  node = await startBitcoind()
})
afterAll(() => node.stop())

test('before the log is open, what is not known is absent, and every metric is named all the same', async () => {
  await using site = await openSite(node, { funded: false })
  await site.coordinator().kick()
  const closed = await scrape(site.coordinator())
  expect(closed.contentType).toBe('text/plain; version=0.0.4; charset=utf-8')
  expect(closed.samples.get('assay_open')).toBe(0)
  expect(closed.samples.get('assay_node_up')).toBe(1)
  expect(closed.samples.get('assay_chain_lag_blocks')).toBe(0)
  expect(closed.samples.get('assay_log_entries')).toBe(0)
  for (const absent of [
    'assay_seal_satoshis',
    'assay_runway_blocks',
    'assay_epoch',
    'assay_anchor_age_blocks',
  ]) {
    expect(closed.samples.has(absent), absent).toBe(false)
  }
  expect(closed.samples.get('process_start_time_seconds')).toBeGreaterThan(0)

  await using open = await openSite(node)
  expect((await scrape(open.coordinator())).names).toEqual(closed.names)
})

test('a scrape says what the status and the ledger say, from the first lease to the settled payout', async () => {
  await using site = await openSite(node, { flags: { 'payout.thresholdSats': '2000' } })
  const [honest, cheat, auditor] = await site.begin(2)
  if (honest === undefined || cheat === undefined || auditor === undefined) throw new Error('three peers')
  const jobs = await honest.lease()
  await expectSameAsStatus(site)
  expect((await scrape(site.coordinator())).samples.get('assay_jobs{state="leased"}')).toBe(jobs.length)
  const works = await honest.hold(jobs)
  await expectSameAsStatus(site)
  await honest.submit(honest.draft(works.map(({ receipt }) => receipt)))
  await cheat.work(cheatedOutput)
  const worked = (await scrape(site.coordinator())).samples
  expect(worked.get('assay_log_entries_unanchored')).toBeGreaterThan(0)
  expect(worked.get('assay_submissions_undrawn')).toBe(2)

  const peers = [honest, cheat, auditor]
  await site.mineUntil('audits', () => site.status().audits.rounds > 0)
  const due = (await scrape(site.coordinator())).samples
  expect(due.get('assay_audit_rounds{state="drawn"}')).toBe(site.status().audits.rounds)
  await site.mineAudited(peers, 'verdicts', () => site.status().audits.undecided === 0)
  const { passed, failed } = site.status().audits
  const done = (await scrape(site.coordinator())).samples
  expect(done.get('assay_audit_rounds{state="drawn"}')).toBe(0)
  expect(done.get('assay_audit_rounds{state="pass"}')).toBe(passed)
  expect(done.get('assay_audit_rounds{state="fail"}')).toBe(failed)
  expect(failed).toBeGreaterThan(0)

  await site.mineAudited(peers, 'a settled payout', () =>
    site.status().payouts.some(({ state }) => state === 'settled'),
  )
  await expectSameAsStatus(site)
  const settled = (await scrape(site.coordinator())).samples
  expect(settled.get('assay_epoch_last_settled')).toBeGreaterThanOrEqual(0)
  expect(settled.get('assay_payouts{state="settled"}')).toBeGreaterThan(0)
  expect(settled.get('assay_ledger_millisatoshis{kind="treasury"}')).toBeLessThan(
    Number(TREASURY_SATS) * 1000,
  )
  expect([...settled.keys()].filter((series) => series.includes(honest.hex))).toEqual([])
})

test('each subnet has its prices and what its work took, and what nobody knows has no sample', async () => {
  await using site = await openSite(node, { subnets: [tinyMarket({ price: 10n ** 18n })] })
  const shown = async () => {
    const { samples } = await scrape(site.coordinator())
    return Object.fromEntries([...samples].filter(([series]) => /^assay_(price|energy)/.test(series)))
  }
  const peers = await site.begin(1)
  const [worker] = peers
  if (worker === undefined) throw new Error('a worker')
  const quoted = {
    'assay_price_millisatoshis{subnet="tiny"}': 1e18,
    'assay_price_next_millisatoshis{subnet="tiny"}': 1e18,
  }
  expect(await shown()).toEqual(quoted)
  expect(renderStatus(await readStatus(site.url))).toMatch(
    /tiny +1000000000000000000 +1000000000000000000 +not known/,
  )

  const told: Energy[] = [
    { method: 'rapl', millijoules: 1_500 },
    { method: 'rapl', millijoules: 600 },
    { method: 'rapl', millijoules: null },
    { method: 'made up', millijoules: 9 },
  ]
  const jobs = await worker.lease(told.length)
  const works = told.map((energy, index) => {
    const { job, inputs } = jobs[index] ?? { job: new Uint8Array(), inputs: new Uint8Array() }
    return worker.answerWith(job, { index, energy }, tinyOutput(inputs))
  })
  await worker.call('/v1/results', { results: works })
  await worker.submit(worker.draft(works.map(({ receipt }) => receipt)))
  // Two items of 7 units each.
  expect(await shown()).toEqual({
    ...quoted,
    'assay_energy_joules_total{subnet="tiny",method="rapl"}': 2.1,
    'assay_energy_units_total{subnet="tiny",method="rapl"}': 14,
  })
  const energy = [{ method: 'rapl', millijoules: 2_100n, units: 14n }]
  expect(site.status().subnets).toEqual([
    { name: 'tiny', priceMsat: 10n ** 18n, nextPriceMsat: 10n ** 18n, energy },
  ])
  expect(renderStatus(await readStatus(site.url))).toMatch(/tiny .* 1\.50e\+8 by rapl/)

  // Nobody asks for what is for sale, so that it gets cheaper.
  await site.mineAudited(
    peers,
    'a lower quote',
    () => site.status().subnets[0]?.nextPriceMsat === 75n * 10n ** 16n,
  )
  expect(await shown()).toMatchObject({ ...quoted, 'assay_price_next_millisatoshis{subnet="tiny"}': 75e16 })
})

test('final anchors are counted once, however often is scraped', async () => {
  await using site = await openSite(node)
  const metrics = createMetrics(site.coordinator(), createFailureCounter(), openModelStatistics())
  const finals = async () => parseScrape(await metrics.scrape()).samples.get('assay_anchors{state="final"}')
  const seen = []
  for (let anchors = 0; anchors < 6; anchors += 1) {
    await site.peer()
    await site.anchorAll()
    seen.push(await finals())
    expect(await finals()).toBe(site.status().anchors.filter(({ state }) => state === 'final').length)
  }
  expect(new Set(seen).size).toBeGreaterThan(3)
})

test('a stall shows with its code alone', async () => {
  await using site = await openSite(node, { flags: { 'anchor.capSats': '1' } })
  site.house().anchorer.request()
  await site.mine(1)
  const { samples } = await scrape(site.coordinator())
  const stalls = [...samples].filter(([series]) => series.startsWith('assay_anchor_stalled'))
  expect(stalls).toEqual([['assay_anchor_stalled{code="cap_reached"}', 1]])
  expect(samples.get('assay_halted')).toBe(0)
})

test('while the node is down the page still comes, and says so', async () => {
  await using own = await startBitcoind()
  await using site = await openSite(own)
  const entries = site.coordinator().books.log.size()
  await own.kill()
  await site.coordinator().kick()
  const { samples } = await scrape(site.coordinator())
  expect(samples.get('assay_node_up')).toBe(0)
  expect(samples.get('assay_round_failing')).toBe(1)
  expect(samples.has('assay_chain_lag_blocks')).toBe(false)
  expect(samples.get('assay_log_entries')).toBe(entries)
})

test('failures are counted by code, and other events are none', async () => {
  await using site = await openSite(node, { funded: false })
  const failures = createFailureCounter()
  const unreachable = new RpcError('rpc_unreachable', 'gone', { sent: 'no' })
  failures.record({ kind: 'failed', error: unreachable })
  failures.record({ kind: 'failed', error: unreachable })
  failures.record({ kind: 'failed', error: new TypeError('a bug') })
  failures.record({ kind: 'opened', seal: 'no failure' })
  const { samples } = await scrape(site.coordinator(), failures)
  const counted = [...samples].filter(([series]) => series.startsWith('assay_failures_total'))
  expect(counted).toEqual([
    ['assay_failures_total{code="rpc_unreachable"}', 2],
    ['assay_failures_total{code="internal"}', 1],
  ])
})

/** Whatever both say. */
async function expectSameAsStatus(site: Site): Promise<void> {
  const { samples } = await scrape(site.coordinator())
  const { work, anchors, payouts, epoch, runwayBlocks } = site.status()
  expect(samples.get('assay_height')).toBe(site.coordinator().advancedTo())
  expect(samples.get('assay_epoch')).toBe(epoch ?? undefined)
  expect(samples.get('assay_runway_blocks')).toBe(runwayBlocks ?? undefined)
  expect(samples.get('assay_requests_open')).toBe(work.requestsOpen)
  expect(samples.get('assay_jobs{state="leased"}')).toBe(work.jobsLeased)
  expect(samples.get('assay_jobs{state="answered"}')).toBe(work.jobsAnswered)
  expect(samples.get('assay_receipts')).toBe(work.receipts)
  expect(samples.get('assay_submissions_undrawn')).toBe(work.undrawn)
  expect(byLabel(samples, 'assay_anchors')).toMatchObject(countsOf(anchors))
  expect(byLabel(samples, 'assay_payouts')).toMatchObject(countsOf(payouts))
  const kinds = new Map<string, number>()
  for (const { name, postedMsat } of site.coordinator().books.ledger.accounts()) {
    const { kind } = parseAccount(name)
    kinds.set(kind, (kinds.get(kind) ?? 0) + Number(postedMsat))
  }
  expect(byLabel(samples, 'assay_ledger_millisatoshis')).toEqual(Object.fromEntries(kinds))
}

function countsOf(rows: readonly { readonly state: string }[]): Record<string, number> {
  const grouped = Object.groupBy(rows, ({ state }) => state)
  return Object.fromEntries(Object.entries(grouped).map(([state, of = []]) => [state, of.length]))
}

/** The samples of one metric by the value of its only label. */
function byLabel(samples: ReadonlyMap<string, number>, name: string): Record<string, number> {
  return Object.fromEntries(
    [...samples].flatMap(([series, value]) => {
      const label = new RegExp(`^${name}\\{\\w+="(.*)"\\}$`).exec(series)?.[1]
      return label === undefined ? [] : [[label, value]]
    }),
  )
}
