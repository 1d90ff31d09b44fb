/** The Open Inference Protocol's routes with nothing but runners behind them, beside a server with ONNX Runtime in it. */
import assert from 'node:assert/strict'
import { mkdtempDisposableSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sideBySide } from '../measure.ts'
import { type Row, rowOf } from '../row.ts'
import { startServer } from '../start-server.ts'
import { openBareRuntime } from './bare-runtime.ts'
import { convNet } from './bench-models.ts'
import { bareShot, inferShot } from './infer-shot.ts'
import { load } from './load.ts'

const CLIENTS = 16
const REQUESTS = 1_000
const MIN_RATIO = 0.8

export async function oipAlone(): Promise<Row> {
  const model = convNet()
  using folder = mkdtempDisposableSync(join(tmpdir(), 'assay-bench-'))
  const modelPath = join(folder.path, 'model.onnx')
  writeFileSync(modelPath, model.file)
  await using ours = await startServer(new URL('./oip-server.ts', import.meta.url), modelPath)
  await using bare = await startServer(new URL('./bare-server.ts', import.meta.url))
  const shot = inferShot(ours.url, model, 1)
  const direct = bareShot(shot, model, `${bare.url}/infer/${model.name}`)
  await using runtime = await openBareRuntime(model, 1)
  const expected = await runtime.run()
  for (const way of [shot, direct]) {
    const { last } = await load(way, 1, 1)
    assert(Buffer.from(last.subarray(-expected.length)).equals(expected), `${way.url} gives the answer`)
  }
  const { oursSeconds, baselineSeconds } = await sideBySide(
    () => load(shot, CLIENTS, REQUESTS),
    () => load(direct, CLIENTS, REQUESTS),
  )
  return rowOf({
    name: `OIP server alone, ${model.name}, single rows, ${CLIENTS} clients, beside node:http with ONNX Runtime`,
    value: REQUESTS / oursSeconds,
    unit: 'requests/s',
    baseline: REQUESTS / baselineSeconds,
    bar: { on: 'ratio', is: '≥', bound: MIN_RATIO },
  })
}
