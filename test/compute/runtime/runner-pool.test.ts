import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { encodeModel } from '../../../compute/onnx/model.ts'
import type { RunnerEvent } from '../../../compute/runtime/model-runner.ts'
import type { MeteredResult } from '../../../compute/runtime/run-metered.ts'
import { type PoolRequest, startRunnerPool } from '../../../compute/runtime/runner-pool.ts'
import { encodeTensorBundle, parseTensorBundle, type Tensor } from '../../../compute/work/tensor-bundle.ts'
import { longWork, mlp, total, wavyFloats, workByShape } from '../onnx/sample-models.ts'

const OWN_CHOICE = { optimization: 'all', threads: 1, precision: 'fp32' } as const
const HOUR_MS = 3_600_000

const floats = (shape: number[], scale = 1): Tensor => {
  const values = wavyFloats(shape.reduce((product, size) => product * size, 1)).map((value) => value * scale)
  return { name: 'x', datatype: 'FP32', shape, data: new Uint8Array(Float32Array.from(values).buffer) }
}

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assay-pool-'))
  for (const [name, bytes] of Object.entries({
    mlp: encodeModel(mlp()),
    long: longWork(),
    square: longWork('N'),
    byShape: workByShape(),
    total: encodeModel(total()),
  })) {
    await writeFile(join(folder, name), bytes)
  }
})
afterAll(() => rm(folder, { recursive: true }))

const job = (name: string, input: Tensor, changes: Partial<PoolRequest> = {}): PoolRequest => ({
  modelPath: join(folder, name),
  modelDigest: name,
  profile: OWN_CHOICE,
  inputs: encodeTensorBundle([input]),
  mayJoin: true,
  deadlineMs: Date.now() + HOUR_MS,
  ...changes,
})

async function open(concurrency = 1) {
  const events: RunnerEvent[] = []
  const onEvent = (event: RunnerEvent) => events.push(event)
  const pool = await startRunnerPool({ provider: 'cpu', devices: null, concurrency, onEvent })
  onTestFinished(() => pool[Symbol.asyncDispose]())
  return {
    pool,
    pids: () => events.flatMap((event) => (event.kind === 'process_started' ? [event.pid] : [])),
  }
}

const rowsOut = (bundle: Uint8Array) => parseTensorBundle(bundle)[0]?.shape

test('what waits for one model runs together, and each gets its own rows', async () => {
  const { pool } = await open()
  const alone = await pool.run(job('mlp', floats([2, 64], 3)))
  const sizes = Array.from({ length: 40 }, (_, i) => 1 + (i % 3))
  const results = await Promise.all(
    sizes.map((rows, i) => pool.run(job('mlp', i === 7 ? floats([2, 64], 3) : floats([rows, 64])))),
  )
  expect(results.map(({ outputs }) => rowsOut(outputs))).toEqual(
    sizes.map((rows, i) => [i === 7 ? 2 : rows, 10]),
  )
  expect(Math.max(...results.map(({ profile }) => profile.batch))).toBeGreaterThan(3)
  const [mine, same] = [results[7], alone].map(
    (result) => parseTensorBundle(result?.outputs ?? new Uint8Array())[0],
  )
  const [a, b] = [mine, same].map((tensor) => new Float32Array(Uint8Array.from(tensor?.data ?? []).buffer))
  expect(a?.length).toBe(20)
  for (const [i, value] of (a ?? []).entries()) expect(value).toBeCloseTo(b?.[i] ?? Number.NaN, 4)
})

test('what asks for a run of its own gets one, whatever waits beside it', async () => {
  const { pool } = await open()
  await pool.run(job('mlp', floats([1, 64])))
  const wishes = Array.from({ length: 12 }, (_, i) => i % 2 === 0)
  const results = await Promise.all(
    wishes.map((mayJoin) => pool.run(job('mlp', floats([1, 64]), { mayJoin }))),
  )
  const batches = results.map(({ profile }) => profile.batch)
  expect(batches.filter((_, i) => !wishes[i])).toEqual(Array(6).fill(1))
  expect(Math.max(...batches)).toBeGreaterThan(1)
})

test('one with inputs at fault costs the others of its batch nothing', async () => {
  const { pool } = await open()
  await pool.run(job('mlp', floats([1, 64])))
  const runs = Array.from({ length: 9 }, (_, i) =>
    pool.run(i === 4 ? job('mlp', { ...floats([1, 64]), name: 'z' }) : job('mlp', floats([1, 64]))),
  )
  const settled = await Promise.allSettled(runs)
  expect(settled.map(({ status }) => status === 'fulfilled')).toEqual(runs.map((_, i) => i !== 4))
})

test('a model whose outputs are not one row for each row is run for each alone', async () => {
  const { pool } = await open()
  const results = await Promise.all(Array.from({ length: 4 }, () => pool.run(job('total', floats([2, 4])))))
  expect(results.map(({ outputs, profile }) => [rowsOut(outputs), profile.batch])).toEqual(
    Array(4).fill([[1, 4], 2]),
  )
})

test('processes work side by side: a model that never ends holds up its own alone', async () => {
  const { pool, pids } = await open(2)
  const endless = pool.run(job('long', floats([1_024, 1_024]), { mayJoin: false }))
  const others = Array.from({ length: 5 }, () => pool.run(job('mlp', floats([1, 64]), { mayJoin: false })))
  expect(await Promise.race([endless.catch(() => 'late'), Promise.all(others).then(() => 'done')])).toBe(
    'done',
  )
  expect(new Set(pids()).size).toBe(2)
})

const byShape = (side: bigint, changes: Partial<PoolRequest> = {}) =>
  job(
    'byShape',
    { name: 'x', datatype: 'INT64', shape: [2], data: new Uint8Array(BigInt64Array.of(side, side).buffer) },
    { mayJoin: false, ...changes },
  )

/** Pairs that came in one exchange: in its message they stand one behind the other, and between two messages stands a head. */
function neighbours(results: readonly MeteredResult[]): [MeteredResult, MeteredResult][] {
  const isNext = ({ outputs: a }: MeteredResult, { outputs: b }: MeteredResult) =>
    a.buffer === b.buffer && a.byteOffset + a.length === b.byteOffset
  return results.flatMap((one) =>
    results
      .filter((other) => isNext(one, other))
      .map((other): [MeteredResult, MeteredResult] => [one, other]),
  )
}

/** Until runs of a kind are known to be quick: a machine that is busy for long may take each for a slow one. */
async function untilQuick(run: () => Promise<MeteredResult>): Promise<void> {
  for (let round = 0; round < 100; round += 1) {
    const results = await Promise.all(Array.from({ length: 20 }, run))
    if (neighbours(results).length >= 10) return
  }
  expect.unreachable('each came by itself')
}

test('quick runs that wait go to the process in one exchange, each as a run of its own', async () => {
  const { pool, pids } = await open()
  await untilQuick(() => pool.run(byShape(2n)))
  const sizes = Array.from({ length: 40 }, (_, i) => BigInt(1 + (i % 3)))
  const results = await Promise.all(sizes.map((side) => pool.run(byShape(side))))
  expect(results.map(({ outputs }) => rowsOut(outputs))).toEqual(
    sizes.map((side) => [Number(side), Number(side)]),
  )
  expect(results.map(({ profile }) => profile.batch)).toEqual(sizes.map(() => 2))
  expect(pids()).toHaveLength(1)
})

test('among quick runs, one with inputs at fault costs the others nothing', async () => {
  const { pool, pids } = await open()
  await untilQuick(() => pool.run(byShape(2n)))
  const runs = Array.from({ length: 20 }, (_, i) => pool.run(byShape(i === 7 ? -1n : 2n)))
  const settled = await Promise.allSettled(runs)
  expect(settled.map(({ status }) => status === 'fulfilled')).toEqual(runs.map((_, i) => i !== 7))
  expect(settled[7]).toMatchObject({ reason: { code: 'model_refused' } })
  expect(pids()).toHaveLength(1)
})

test('among quick runs, one that never ends costs the others no more than its own deadline', async () => {
  const { pool } = await open()
  await untilQuick(() => pool.run(byShape(2n)))
  const runs = Array.from({ length: 20 }, (_, i) =>
    pool.run(i === 7 ? byShape(2_048n, { deadlineMs: Date.now() + 3_000 }) : byShape(2n)),
  )
  const settled = await Promise.allSettled(runs)
  expect(settled.map(({ status }) => status === 'fulfilled')).toEqual(runs.map((_, i) => i !== 7))
  expect(settled[7]).toMatchObject({ reason: { code: 'deadline_exceeded' } })
})

test('among quick runs, one that never ends holds up one process, not two', async () => {
  const { pool } = await open(2)
  await untilQuick(() => pool.run(byShape(2n)))
  const first = Array.from({ length: 3 }, () => pool.run(byShape(2n)))
  const endless = pool.run(byShape(2_048n))
  const others = Promise.all([...first, ...Array.from({ length: 30 }, () => pool.run(byShape(2n)))])
  const last = others.then(() => pool.run(byShape(2n)))
  expect(await Promise.race([endless.catch(() => 'late'), last.then(() => 'done')])).toBe('done')
})

test('among quick runs, one whose deadline is near takes no process along', async () => {
  const { pool, pids } = await open()
  await untilQuick(() => pool.run(byShape(2n)))
  const others = Array.from({ length: 20 }, () => pool.run(byShape(2n)))
  // Its time may pass while it waits.
  const near = pool.run(byShape(2n, { deadlineMs: Date.now() + 900 })).catch(() => null)
  others.push(...Array.from({ length: 20 }, () => pool.run(byShape(2n))))
  const alone = await near
  const beside = neighbours([...(await Promise.all(others)), ...(alone === null ? [] : [alone])])
  expect(beside.flat()).not.toContain(alone)
  expect(pids()).toHaveLength(1)
})

test('a pool that is closed while quick runs are under way ends them all', async () => {
  const { pool } = await open()
  await untilQuick(() => pool.run(byShape(2n)))
  const first = pool.run(byShape(2n))
  const behind = Promise.allSettled(
    Array.from({ length: 20 }, (_, i) => pool.run(byShape(i === 7 ? 2_048n : 2n))),
  )
  await first
  await nextTurn()
  await pool[Symbol.asyncDispose]()
  const settled = await behind
  expect(settled[7]?.status).toBe('rejected')
  for (const one of settled) {
    if (one.status === 'rejected') expect(one.reason).toMatchObject({ code: 'runner_died' })
  }
})

test('runs of another size of inputs go by themselves: they may take another time', async () => {
  const { pool } = await open()
  const run = (size: number) => pool.run(job('square', floats([size, size]), { mayJoin: false }))
  for (const size of [2, 3]) await untilQuick(() => run(size))
  const results = await Promise.all(Array.from({ length: 40 }, (_, i) => run(2 + (i % 2))))
  for (const pair of neighbours(results)) {
    const [one, other] = pair.map(({ outputs }) => rowsOut(outputs))
    expect(one).toEqual(other)
  }
})

test('what is not done by its deadline is refused, and what comes next is run', async () => {
  const { pool } = await open()
  // Longer than several together may take.
  const deadlineMs = Date.now() + 1_500
  const late = pool.run(job('long', floats([1_024, 1_024]), { mayJoin: false, deadlineMs }))
  await expect(late).rejects.toMatchObject({ code: 'deadline_exceeded' })
  expect(Date.now()).toBeGreaterThanOrEqual(deadlineMs)
  expect(rowsOut((await pool.run(job('mlp', floats([1, 64])))).outputs)).toEqual([1, 10])
})

test('energy is told with its method, and unknown is not zero', async () => {
  const { pool } = await open()
  const { energy } = await pool.run(job('mlp', floats([1, 64])))
  if (energy.method === 'none') expect(energy.millijoules).toBeNull()
  else expect(energy).toMatchObject({ method: 'rapl', millijoules: expect.any(Number) })
})

test('a closed pool ends what waits, and takes nothing more', async () => {
  const { pool } = await open()
  const runs = [
    pool.run(job('long', floats([1_024, 1_024]), { mayJoin: false })),
    pool.run(job('mlp', floats([1, 64]))),
  ]
  const ended = Promise.allSettled(runs)
  await pool[Symbol.asyncDispose]()
  for (const one of await ended)
    expect(one).toMatchObject({ status: 'rejected', reason: { code: 'runner_died' } })
  await expect(pool.run(job('mlp', floats([1, 64])))).rejects.toMatchObject({ code: 'runner_died' })
})
