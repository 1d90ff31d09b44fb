/** The runner by itself: batches of what waits together, and memory over many runs and loads. */
import assert from 'node:assert/strict'
import { mkdtempDisposableSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startModelRunner } from '../../compute/runtime/model-runner.ts'
import { type PoolRequest, startRunnerPool } from '../../compute/runtime/runner-pool.ts'
import { encodeTensorBundle, parseTensorBundle } from '../../compute/work/tensor-bundle.ts'
import { sideBySide } from '../measure.ts'
import { type Bar, type Row, rowOf } from '../row.ts'
import { openBareRuntime } from './bare-runtime.ts'
import { inputRows, mlp, trivial } from './bench-models.ts'

const CALLERS = 32
const REQUESTS = 4_000
const MIN_BATCHING_RATIO = 6
const RUNS = 200_000
const LOADS = 200
/** A run's garbage comes and goes; what grows by more than this is kept by somebody. */
const MAX_GROWTH_MB = 64
const HOUR_MS = 3_600_000
/** /proc counts memory in kB of 1,024 bytes. */
const MB_PER_KB = 1_024 / 1e6

export async function* runnerRows(): AsyncGenerator<Row> {
  yield* together()
  yield* memory()
}

/** Single rows that wait together: as batches, and where each is to be a run of its own. */
async function* together(): AsyncGenerator<Row> {
  const model = mlp()
  using folder = mkdtempDisposableSync(join(tmpdir(), 'assay-bench-'))
  const modelPath = join(folder.path, 'model.onnx')
  writeFileSync(modelPath, model.file)
  await using pool = await startRunnerPool({ ...ONE_PROCESS, onEvent: () => undefined })
  // The pool by itself gives a process many runs at once, batches or not.
  await using single = await startModelRunner({ provider: 'cpu' })
  const request = requestOf(modelPath, 'mlp', model.shape, inputRows(model, 1))
  await using bare = await openBareRuntime(model, 1)
  const [y] = parseTensorBundle((await pool.run({ ...request, mayJoin: false })).outputs)
  assert(Buffer.from(y?.data ?? []).equals(await bare.run()), 'the model gives its answer')
  const rows = async (how: string, mayJoin: boolean, bar?: Bar): Promise<Row> => {
    const { oursSeconds, baselineSeconds } = await sideBySide(
      () => callTogether(pool, { ...request, mayJoin }, REQUESTS),
      () => callTogether(single, request, REQUESTS),
      3,
    )
    return rowOf({
      name: `runner, mlp, single rows of ${CALLERS} callers, ${how}, beside one to an exchange`,
      value: REQUESTS / oursSeconds,
      unit: 'rows/s',
      baseline: REQUESTS / baselineSeconds,
      ...(bar === undefined ? {} : { bar }),
    })
  }
  yield await rows('in batches', true, { on: 'ratio', is: '≥', bound: MIN_BATCHING_RATIO })
  yield await rows('as runs of their own', false)
}

async function* memory(): AsyncGenerator<Row> {
  const model = trivial()
  using folder = mkdtempDisposableSync(join(tmpdir(), 'assay-bench-'))
  const modelPath = join(folder.path, 'model.onnx')
  writeFileSync(modelPath, model.file)
  let pid = 0
  await using pool = await startRunnerPool({
    ...ONE_PROCESS,
    onEvent(event) {
      if (event.kind === 'process_started') pid = event.pid
    },
  })
  const request = requestOf(modelPath, 'trivial', model.shape, inputRows(model, 1))
  const warmUp = RUNS / 20
  await callTogether(pool, request, warmUp)
  const beforeRuns = residentMb(pid)
  await callTogether(pool, request, RUNS - warmUp)
  yield growth(`runner, memory after ${RUNS} runs, above that after ${warmUp}`, residentMb(pid) - beforeRuns)
  const heavy = mlp()
  writeFileSync(modelPath, heavy.file)
  const weights = requestOf(modelPath, '', heavy.shape, inputRows(heavy, 1))
  const load = (copy: number) => pool.run({ ...weights, modelDigest: `copy ${copy}` })
  for (let copy = 0; copy < LOADS / 10; copy += 1) await load(copy)
  const beforeLoads = residentMb(pid)
  for (let copy = LOADS / 10; copy < LOADS; copy += 1) await load(copy)
  yield growth(
    `runner, memory after ${LOADS} loads of ${Math.round(heavy.file.length / 1e5) / 10} MB, above that after ${LOADS / 10}`,
    residentMb(pid) - beforeLoads,
  )
}

function growth(name: string, value: number): Row {
  return rowOf({ name, value, unit: 'MB', bar: { on: 'value', is: '≤', bound: MAX_GROWTH_MB } })
}

const ONE_PROCESS = { provider: 'cpu', devices: null, concurrency: 1 } as const

function requestOf(
  modelPath: string,
  modelDigest: string,
  shape: readonly number[],
  row: Float32Array,
): PoolRequest {
  const data = new Uint8Array(row.buffer)
  return {
    modelPath,
    modelDigest,
    profile: { optimization: 'disabled', threads: 1, precision: 'fp32' },
    inputs: encodeTensorBundle([{ name: 'x', datatype: 'FP32', shape: [1, ...shape], data }]),
    mayJoin: false,
    deadlineMs: Date.now() + HOUR_MS,
  }
}

async function callTogether(
  runner: { run(request: PoolRequest): Promise<unknown> },
  request: PoolRequest,
  requests: number,
): Promise<void> {
  let left = requests
  const caller = async () => {
    while (left-- > 0) await runner.run(request)
  }
  await Promise.all(Array.from({ length: CALLERS }, caller))
}

/** proc(5). */
function residentMb(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  assert(kilobytes !== undefined, 'the runner lives')
  return Number(kilobytes) * MB_PER_KB
}
