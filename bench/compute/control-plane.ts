/** Receipts as fast as a coordinator takes them: a model that does nothing, leased, answered and submitted in batches. */
import assert from 'node:assert/strict'
import type { Peer } from '../../test/src/coordinator/peer.ts'
import { tinyInput, tinyMarket } from '../../test/src/coordinator/tiny-market.ts'
import { percentile } from '../measure.ts'
import { type Row, rowOf } from '../row.ts'
import { openBenchSite } from './bench-site.ts'

/** Enough for the coordinator never to wait for one. */
const PEERS = 4
/** As many as a lease holds. */
const RECEIPTS_PER_BATCH = 256
const BATCHES = 32
const WARM_UP_BATCHES = 4
const MIN_RECEIPTS_PER_SECOND = 10_000
const MAX_ACKNOWLEDGED_MS = 100

export async function* controlPlane(): AsyncGenerator<Row> {
  // Each peer is assigned a quarter by a draw: a batch more for each, so that none runs dry.
  const batches = WARM_UP_BATCHES + BATCHES
  const items = Array.from({ length: (batches + PEERS) * RECEIPTS_PER_BATCH }, (_, item) =>
    tinyInput(item + 1),
  )
  const market = tinyMarket({ dataset: { items, perEpoch: items.length } })
  await using system = await openBenchSite(market, { workers: 0, peers: PEERS })
  await workThrough(system.peers, WARM_UP_BATCHES)
  const before = (await system.site.status()).open?.work.receipts ?? 0
  const { receipts, seconds, acknowledgedMs } = await workThrough(system.peers, BATCHES)
  const after = (await system.drained()).open?.work.receipts ?? 0
  assert.equal(after - before, receipts, 'each receipt is in the log')
  yield rowOf({
    name: `control plane, a trivial model in batches of ${RECEIPTS_PER_BATCH}, ${PEERS} workers`,
    value: receipts / seconds,
    unit: 'receipts/s',
    bar: { on: 'value', is: '≥', bound: MIN_RECEIPTS_PER_SECOND },
  })
  yield rowOf({
    name: 'control plane, from a submission sent to its acknowledgement, p99',
    value: percentile(acknowledgedMs, 0.99),
    unit: 'ms',
    bar: { on: 'value', is: '≤', bound: MAX_ACKNOWLEDGED_MS },
  })
}

/** Each peer from lease to acknowledgement, again and again, one step at a time as its chain wants it, until together they have done `batches`. */
async function workThrough(peers: readonly Peer[], batches: number) {
  const acknowledgedMs: number[] = []
  let receipts = 0
  let left = batches
  async function work(peer: Peer): Promise<void> {
    while (left-- > 0) {
      const works = await peer.hold(await peer.lease(RECEIPTS_PER_BATCH))
      const submission = peer.draft(works.map(({ receipt }) => receipt))
      const sentMs = performance.now()
      await peer.submit(submission)
      acknowledgedMs.push(performance.now() - sentMs)
      receipts += works.length
    }
  }
  const startedMs = performance.now()
  await Promise.all(peers.map(work))
  return { receipts, seconds: (performance.now() - startedMs) / 1_000, acknowledgedMs }
}
