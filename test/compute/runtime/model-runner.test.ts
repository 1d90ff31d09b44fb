import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { graph, model, node, valueInfo } from '../../../compute/onnx/graph-builder.ts'
import { encodeModel } from '../../../compute/onnx/model.ts'
import {
  type PooledRunner,
  type RunnerEvent,
  type RunRequest,
  startModelRunner,
} from '../../../compute/runtime/model-runner.ts'
import { encodeTensorBundle, parseTensorBundle, type Tensor } from '../../../compute/work/tensor-bundle.ts'
import { longWork, mlp, unary, wavyFloats } from '../onnx/sample-models.ts'

const EXACT = { optimization: 'disabled', threads: 1, precision: 'fp32' } as const
const HOUR_MS = 3_600_000

const floats = (name: string, shape: number[]): Tensor => {
  const count = shape.reduce((product, size) => product * size, 1)
  return { name, datatype: 'FP32', shape, data: new Uint8Array(wavyFloats(count).buffer) }
}

/** ReduceSum of as many zeros as the input says. */
const memoryHog = (): Uint8Array =>
  encodeModel(
    model(
      graph('hog', {
        input: [valueInfo('n', 'INT64', [1])],
        output: [valueInfo('y', 'FP32', [])],
        node: [
          node('ConstantOfShape', ['n'], ['zeros']),
          node('ReduceSum', ['zeros'], ['y'], { keepdims: 0n }),
        ],
      }),
    ),
  )

const items = (n: bigint): Tensor => ({
  name: 'n',
  datatype: 'INT64',
  shape: [1],
  data: new Uint8Array(BigInt64Array.of(n).buffer),
})

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assay-runner-'))
  const models = {
    mlp: encodeModel(mlp()),
    long: longWork(),
    hog: memoryHog(),
    garbage: Buffer.from('this is no model'),
    unknown: encodeModel(unary([node('NoSuchOperator', ['x'], ['y'])], 'FP32', ['N'])),
    reshape: encodeModel(unary([node('MatMul', ['x', 'x'], ['y'])], 'FP32', ['N', 'M'])),
  }
  for (const [name, bytes] of Object.entries(models)) await writeFile(join(folder, name), bytes)
})
afterAll(() => rm(folder, { recursive: true }))

/** The model's name stands for its digest: the runner only tells models apart by it. */
const job = (name: string, inputs: Tensor[], limitMs = HOUR_MS): RunRequest => ({
  modelPath: join(folder, name),
  modelDigest: name,
  profile: EXACT,
  inputs: encodeTensorBundle(inputs),
  deadlineMs: Date.now() + limitMs,
})

const good = () => job('mlp', [floats('x', [3, 64])])
const endless = (limitMs = HOUR_MS) => job('long', [floats('x', [1_024, 1_024])], limitMs)

describe('a runner on the CPU', () => {
  let events: RunnerEvent[]
  let runner: PooledRunner
  const pids = () => events.flatMap((event) => (event.kind === 'process_started' ? [event.pid] : []))

  beforeEach(async () => {
    events = []
    runner = await startModelRunner({ provider: 'cpu', onEvent: (event) => events.push(event) })
  })
  afterEach(() => runner[Symbol.asyncDispose]())

  test('runs a model and says how it ran', async () => {
    const before = Date.now()
    const { outputs, profile, startedMs, finishedMs } = await runner.run(good())
    const [y] = parseTensorBundle(outputs)
    expect(y).toMatchObject({ name: 'y', datatype: 'FP32', shape: [3, 10] })
    expect(profile).toEqual({
      batch: 3,
      device: runner.device,
      optimization: 'disabled',
      ort: '1.30.0',
      precision: 'fp32',
      provider: 'cpu',
      threads: 1,
    })
    expect(startedMs).toBeGreaterThanOrEqual(before)
    expect(finishedMs).toBeGreaterThanOrEqual(startedMs)
    expect(finishedMs).toBeLessThanOrEqual(Date.now())
  })

  test('gives the same bits as another runner process', async () => {
    const other = await startModelRunner({ provider: 'cpu' })
    const [mine, its] = await Promise.all([runner.run(good()), other.run(good())])
    await other[Symbol.asyncDispose]()
    expect(Buffer.compare(mine.outputs, its.outputs)).toBe(0)
  })

  test('answers runs that wait for each other, each with its own result', async () => {
    const sizes = [1, 2, 3, 4, 5, 6, 7, 8]
    const results = await Promise.all(sizes.map((size) => runner.run(job('mlp', [floats('x', [size, 64])]))))
    expect(results.map(({ profile }) => profile.batch)).toEqual(sizes)
    expect(pids()).toHaveLength(1)
  })

  test('ends work at its deadline and runs the next in a new process', async () => {
    await expect(runner.run(endless(1_000))).rejects.toMatchObject({ code: 'deadline_exceeded' })
    expect((await runner.run(good())).profile.batch).toBe(3)
    expect(new Set(pids()).size).toBe(2)
  })

  test('a deadline that passes while a run waits is told without running it', async () => {
    const first = runner.run(endless(1_000))
    const second = runner.run(job('mlp', [floats('x', [1, 64])], 10))
    await Promise.all([
      expect(first).rejects.toMatchObject({ code: 'deadline_exceeded' }),
      expect(second).rejects.toMatchObject({ code: 'deadline_exceeded', message: /before the run/ }),
    ])
  })

  // SIGABRT: by its own native code.
  test.each(['SIGKILL', 'SIGABRT'] as const)(
    'a process ended by %s in mid-run costs that one job',
    async (signal) => {
      await runner.run(good())
      const killed = runner.run(endless())
      const [pid] = pids()
      if (pid === undefined) throw new Error('no runner is there')
      process.kill(pid, signal)
      await expect(killed).rejects.toMatchObject({
        code: 'runner_died',
        message: expect.stringContaining(signal),
      })
      expect((await runner.run(good())).profile.batch).toBe(3)
    },
  )

  test('runs several bundles in one exchange, each with its own result', async () => {
    const { inputs: _, ...manner } = good()
    const sizes = [3, 1, 2]
    const bundles = sizes.map((size) => encodeTensorBundle([floats('x', [size, 64])]))
    const results = await runner.runEach(manner, bundles)
    expect(results.map(({ profile }) => profile.batch)).toEqual(sizes)
    for (const [i, { outputs, startedMs, finishedMs }] of results.entries()) {
      const [alone] = await runner.runEach(manner, bundles.slice(i, i + 1))
      expect(Buffer.compare(outputs, alone?.outputs ?? new Uint8Array())).toBe(0)
      expect(startedMs).toBeLessThanOrEqual(finishedMs)
      expect(startedMs).toBeGreaterThanOrEqual(results[i - 1]?.finishedMs ?? 0)
    }
    expect(pids()).toHaveLength(1)
  })

  test('one of several that is at fault is what all of them are refused for', async () => {
    const { inputs, ...manner } = good()
    const run = runner.runEach(manner, [inputs, Buffer.from('junk'), inputs])
    await expect(run).rejects.toMatchObject({ code: 'inputs_invalid' })
    expect(await runner.runEach(manner, [inputs, inputs])).toHaveLength(2)
    expect(pids()).toHaveLength(1)
  })

  test('what waits for a run that takes its process along is run by the next one', async () => {
    const late = runner.run(endless(1_000))
    const behind = [1, 2, 3].map((rows) => runner.run(job('mlp', [floats('x', [rows, 64])])))
    await expect(late).rejects.toMatchObject({ code: 'deadline_exceeded' })
    expect((await Promise.all(behind)).map(({ profile }) => profile.batch)).toEqual([1, 2, 3])
    expect(new Set(pids()).size).toBe(2)
  })

  test.each([
    ['garbage', /model_malformed/],
    ['unknown', /NoSuchOperator/],
    ['missing', /ENOENT/],
  ])('refuses the model "%s" and lives on', async (name, message) => {
    await expect(runner.run(job(name, []))).rejects.toMatchObject({ code: 'model_refused', message })
    await runner.run(good())
    expect(pids()).toHaveLength(1)
  })

  test('a model that fails on its inputs is refused with the reason', async () => {
    const failed = runner.run(job('reshape', [floats('x', [2, 3])]))
    await expect(failed).rejects.toMatchObject({ code: 'model_refused', message: /MatMul/ })
  })

  test.each<[string, () => Tensor[], RegExp]>([
    ['missing', () => [], /input x is missing/],
    ['of another name', () => [floats('z', [1, 64])], /input x is missing/],
    ['of another datatype', () => [{ ...floats('x', [1, 64]), datatype: 'INT32' }], /INT32/],
    ['of another shape', () => [floats('x', [64, 1])], /shape/],
    ['too many', () => [floats('x', [1, 64]), floats('z', [1])], /z is no input/],
  ])('refuses inputs that are %s', async (_, inputs, message) => {
    await expect(runner.run(job('mlp', inputs()))).rejects.toMatchObject({ code: 'inputs_invalid', message })
  })

  test('refuses inputs that are no bundle', async () => {
    const run = runner.run({ ...good(), inputs: Buffer.from('junk') })
    await expect(run).rejects.toMatchObject({ code: 'inputs_invalid' })
  })

  test.runIf(process.platform === 'linux')(
    'a model that asks for too much memory is refused and nothing dies',
    async () => {
      const twelveGibibytes = 3n << 30n
      await expect(runner.run(job('hog', [items(twelveGibibytes)]))).rejects.toMatchObject({
        code: 'model_refused',
        message: /bad_alloc|Failed to allocate/,
      })
      const [sum] = parseTensorBundle((await runner.run(job('hog', [items(1_000n)]))).outputs)
      expect(sum?.data).toEqual(new Uint8Array(4))
      expect(pids()).toHaveLength(1)
    },
  )

  test('more models than are kept loaded all run, again and again', async () => {
    for (let turn = 0; turn < 2; turn++) {
      for (let copy = 0; copy < 6; copy++) {
        const { profile } = await runner.run({ ...good(), modelDigest: `copy ${copy}` })
        expect(profile.batch).toBe(3)
      }
    }
  })

  test('a profile of a provider that was not started is refused', async () => {
    const run = runner.run({ ...good(), profile: { ...EXACT, provider: 'cuda' } })
    await expect(run).rejects.toMatchObject({ code: 'provider_unavailable' })
  })

  test('closing ends the run in progress and those that wait, and may be repeated', async () => {
    const runs = [runner.run(endless()), runner.run(good())]
    const ended = Promise.allSettled(runs)
    await runner[Symbol.asyncDispose]()
    await runner[Symbol.asyncDispose]()
    expect(await ended).toEqual([
      { status: 'rejected', reason: expect.objectContaining({ code: 'runner_died' }) },
      { status: 'rejected', reason: expect.objectContaining({ code: 'runner_died' }) },
    ])
    await expect(runner.run(good())).rejects.toMatchObject({ code: 'runner_died' })
    expect(pids()).toHaveLength(1)
  })
})

describe('choosing a provider', () => {
  test('auto takes the first that works and says why not the others', async () => {
    const events: RunnerEvent[] = []
    const runner = await startModelRunner({ provider: 'auto', onEvent: (event) => events.push(event) })
    const { profile } = await runner.run(good())
    await runner[Symbol.asyncDispose]()
    const order = ['cuda', 'webgpu', 'cpu']
    const refused = events.flatMap((event) => (event.kind === 'provider_refused' ? [event] : []))
    expect(refused.map(({ provider }) => provider)).toEqual(order.slice(0, order.indexOf(runner.provider)))
    expect(refused.every(({ reason }) => reason.length > 0)).toBe(true)
    expect(events.at(-1)).toEqual({
      kind: 'provider_chosen',
      provider: runner.provider,
      device: runner.device,
    })
    expect(profile).toMatchObject({ provider: runner.provider, device: runner.device })
  })

  test.skipIf(existsSync('/proc/driver/nvidia'))(
    'CUDA without a GPU is refused with the reason',
    async () => {
      await expect(startModelRunner({ provider: 'cuda' })).rejects.toMatchObject({
        code: 'provider_unavailable',
        message: /^cuda: .+install-cuda --check/,
      })
    },
  )
})
