/** From a requester's HTTP request by coordinator and worker to receipts in the durable log. */
import assert from 'node:assert/strict'
import { median, sideBySide } from '../measure.ts'
import { type Bar, type Row, rowOf } from '../row.ts'
import { startServer } from '../start-server.ts'
import { openBareRuntime } from './bare-runtime.ts'
import { type BenchModel, convNet, mlp } from './bench-models.ts'
import { type BenchSite, benchMarket, openBenchSite } from './bench-site.ts'
import { bareShot, inferShot } from './infer-shot.ts'
import { load, type Shot } from './load.ts'

const BARE_SERVER = new URL('./bare-server.ts', import.meta.url)
const ROUNDS = 3
/** Requests under way: enough for the worker never to wait for the coordinator. */
const CLIENTS = 128
const MIN_CONV_RATIO = 0.8
const MIN_MLP_RATIO = 0.45
const MIN_SINGLE_ROW_RATIO = 0.35
const MAX_OVERHEAD_MS = 2
const LATENCY_REQUESTS = 200
const DOOR_CLIENTS = 16

export async function* wholeSystem(): AsyncGenerator<Row> {
  const models = { conv: convNet(), mlp: mlp() }
  await using system = await openBenchSite(benchMarket([models.conv, models.mlp]), { workers: 1, peers: 0 })
  yield await saturated(system, models.conv, 1, 3_000, MIN_CONV_RATIO)
  yield await saturated(system, models.mlp, 32, 2_000, MIN_MLP_RATIO)
  yield await besideServer(system, models.mlp, {
    clients: CLIENTS,
    requests: 4_000,
    beside: { path: '/echo', what: 'a bare HTTP echo' },
    bar: { on: 'ratio', is: '≥', bound: MIN_SINGLE_ROW_RATIO },
  })
  yield await besideServer(system, models.conv, {
    clients: DOOR_CLIENTS,
    requests: 1_000,
    beside: { path: `/infer/${models.conv.name}`, what: 'node:http with ONNX Runtime' },
  })
  yield await overhead(system, models.mlp)
}

async function saturated(
  system: BenchSite,
  model: BenchModel,
  rows: number,
  requests: number,
  bound: number,
): Promise<Row> {
  await using bare = await openBareRuntime(model, rows)
  const shot = inferShot(system.site.url, model, rows)
  await assertAnswer(system, model, rows)
  const baseline = async () => {
    for (let i = 0; i < requests; i += 1) await bare.run()
  }
  const { oursSeconds, baselineSeconds } = await sideBySide(
    () => answered(system, shot, CLIENTS, requests),
    baseline,
    ROUNDS,
  )
  return rowOf({
    name: `whole system, ${model.name}, ${rows} rows a request, ${CLIENTS} clients, beside a bare loop`,
    value: requests / oursSeconds,
    unit: 'requests/s',
    baseline: requests / baselineSeconds,
    bar: { on: 'ratio', is: '≥', bound },
  })
}

/** Single rows in binary, by a server that does without receipts and by ours, until they are in the log. */
async function besideServer(
  system: BenchSite,
  model: BenchModel,
  o: {
    clients: number
    requests: number
    beside: { path: string; what: string }
    bar?: Bar
  },
): Promise<Row> {
  const { clients, requests, beside, bar } = o
  await using bare = await startServer(BARE_SERVER)
  const shot = inferShot(system.site.url, model, 1)
  await assertAnswer(system, model, 1)
  const direct = bareShot(shot, model, `${bare.url}${beside.path}`)
  const { oursSeconds, baselineSeconds } = await sideBySide(
    () => answered(system, shot, clients, requests),
    () => load(direct, clients, requests),
    ROUNDS,
  )
  return rowOf({
    name: `whole system, ${model.name}, single rows, ${clients} clients, beside ${beside.what}`,
    value: requests / oursSeconds,
    unit: 'requests/s',
    baseline: requests / baselineSeconds,
    ...(bar === undefined ? {} : { bar }),
  })
}

/** Until the log holds a receipt for every answer. */
async function answered(system: BenchSite, shot: Shot, clients: number, requests: number): Promise<void> {
  const receipts = async () => (await system.drained()).open?.work.receipts ?? 0
  const before = await receipts()
  await load(shot, clients, requests)
  assert.equal((await receipts()) - before, requests, 'each answer has its receipt in the log')
}

async function overhead(system: BenchSite, model: BenchModel): Promise<Row> {
  await using bare = await startServer(BARE_SERVER)
  const shot = inferShot(system.site.url, model, 1)
  const direct = bareShot(shot, model, `${bare.url}/infer/${model.name}`)
  await system.drained()
  await load(shot, 1, 20)
  await load(direct, 1, 20)
  const ours = await load(shot, 1, LATENCY_REQUESTS)
  const theirs = await load(direct, 1, LATENCY_REQUESTS)
  return rowOf({
    name: 'whole system, one client: latency above that of node:http with ONNX Runtime, p50',
    value: median(ours.latenciesMs) - median(theirs.latenciesMs),
    unit: 'ms',
    baseline: median(theirs.latenciesMs),
    bar: { on: 'value', is: '≤', bound: MAX_OVERHEAD_MS },
  })
}

async function assertAnswer(system: BenchSite, model: BenchModel, rows: number): Promise<void> {
  await using bare = await openBareRuntime(model, rows)
  const expected = await bare.run()
  const { last } = await load(inferShot(system.site.url, model, rows), 1, 1)
  assert(Buffer.from(last.subarray(-expected.length)).equals(expected), `${model.name} gives its answer`)
}
