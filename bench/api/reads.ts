/** Routes that anybody reads, beside an express route that sends the same bytes and does nothing else. */
import assert from 'node:assert/strict'
import { until } from '../../src/demo/until.ts'
import { idOf } from '../../test/src/coordinator/peer.ts'
import { tinyInput, tinyMarket } from '../../test/src/coordinator/tiny-market.ts'
import { openBenchSite } from '../compute/bench-site.ts'
import { sideBySide } from '../measure.ts'
import { type Row, rowOf } from '../row.ts'
import { startServer } from '../start-server.ts'
import { getOften } from './get-often.ts'

const CLIENTS = 16
const REQUESTS = 10_000
const MIN_RATIO = 0.6
/** Leased by twos, each pair an entry of jobs and one of a submission: a full tile of the log. */
const ITEMS = 256
const ITEMS_PER_LEASE = 2
const ANCHOR_LIMIT_MS = 60_000

export async function* reads(): AsyncGenerator<Row> {
  const items = Array.from({ length: ITEMS }, (_, item) => tinyInput(item + 1))
  const market = tinyMarket({ dataset: { items, perEpoch: ITEMS } })
  await using system = await openBenchSite(market, { workers: 0, peers: 1 })
  const receipts: string[] = []
  for (const peer of system.peers) {
    for (let done = 0; done < ITEMS; done += ITEMS_PER_LEASE) {
      const worked = await peer.work(undefined, ITEMS_PER_LEASE)
      assert(worked !== null, 'there is an item left')
      receipts.push(...worked.works.map(idOf))
    }
  }
  const proof = `/v1/receipts/${receipts[0]}/proof`
  await until('a proof, and nobody at work', ANCHOR_LIMIT_MS, async () => {
    await system.mine()
    const { open } = await system.site.status()
    return open?.audits.rounds === 0 && (await fetch(`${system.site.url}${proof}`)).ok ? true : null
  })
  const routes = new Map([
    ['what a worker asks first', '/v1/info'],
    ['checkpoint', '/log/checkpoint'],
    ['tile of hashes', '/log/tile/0/000'],
    ['tile of entries', '/log/tile/entries/000'],
    ['a page of 100 receipts', '/v1/receipts'],
    ['a proof', proof],
  ])
  await using bare = await startServer(new URL('./bare-express.ts', import.meta.url))
  for (const [name, path] of routes) {
    const answer = await fetch(`${system.site.url}${path}`)
    const body = new Uint8Array(await answer.arrayBuffer())
    const type = answer.headers.get('content-type') ?? ''
    await fetch(`${bare.url}${path}`, { method: 'PUT', headers: { 'content-type': type }, body })
    for (const url of [system.site.url, bare.url]) {
      assert(Buffer.from(body).equals(await getOften(`${url}${path}`, 1, 1)), `${url} sends ${path}`)
    }
    const { oursSeconds, baselineSeconds } = await sideBySide(
      () => getOften(`${system.site.url}${path}`, CLIENTS, REQUESTS),
      () => getOften(`${bare.url}${path}`, CLIENTS, REQUESTS),
    )
    yield rowOf({
      name: `read API, ${name}, ${body.length} bytes, ${CLIENTS} clients, beside a bare express route`,
      value: REQUESTS / oursSeconds,
      unit: 'requests/s',
      baseline: REQUESTS / baselineSeconds,
      bar: { on: 'ratio', is: '≥', bound: MIN_RATIO },
    })
  }
}
