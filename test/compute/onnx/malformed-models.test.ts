import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { AdmissionError, admitModel } from '../../../compute/onnx/admission.ts'
import { encodeModel, ModelError } from '../../../compute/onnx/model.ts'
import { InferenceSession } from '../../../compute/runtime/onnxruntime.ts'
import { startRunnerPool } from '../../../compute/runtime/runner-pool.ts'
import { sessionOptions } from '../../../compute/runtime/session-options.ts'
import { encodeTensorBundle } from '../../../compute/work/tensor-bundle.ts'
import { mlp } from './sample-models.ts'

const good = encodeModel(mlp())

/** Real model bytes, changed, cut, doubled or spliced: most of them near the graph's own fields, not in its weights. */
const nearHead = fc.nat(200)
const nearTail = fc.nat(400).map((back) => good.length - 1 - back)
const change = fc.record({ at: fc.oneof(nearHead, nearTail, fc.nat(good.length - 1)), byte: fc.nat(255) })
const damaged = fc
  .record({
    changes: fc.array(change, { maxLength: 6 }),
    cut: fc.option(fc.nat(good.length)),
    tail: fc.uint8Array({ maxLength: 16 }),
  })
  .map(({ changes, cut, tail }) => {
    const bytes = Uint8Array.from(good)
    for (const { at, byte } of changes) bytes[at] = byte
    return Uint8Array.from([...bytes.subarray(0, cut ?? bytes.length), ...tail])
  })

test('whatever is done to a model’s bytes, it is admitted or refused with a code', () => {
  let refused = 0
  fc.assert(
    fc.property(damaged, (bytes) => {
      try {
        admitModel(bytes)
      } catch (error) {
        expect(
          [AdmissionError, ModelError].some((type) => error instanceof type),
          String(error),
        ).toBe(true)
        refused += 1
      }
    }),
    { numRuns: 500 },
  )
  expect(refused).toBeGreaterThan(0)
})

test('a damaged model that is admitted costs its own job at most: the next one runs', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'assay-damaged-'))
  await using pool = await startRunnerPool({
    provider: 'cpu',
    devices: null,
    concurrency: 1,
    onEvent: () => {},
  })
  const data = new Uint8Array(64 * 4)
  const inputs = encodeTensorBundle([{ name: 'x', datatype: 'FP32', shape: [1, 64], data }])
  const run = (name: string) =>
    pool.run({
      modelPath: join(folder, name),
      modelDigest: name,
      profile: { optimization: 'all', threads: 1, precision: 'fp32' },
      inputs,
      mayJoin: false,
      deadlineMs: Date.now() + 30_000,
    })
  await writeFile(join(folder, 'good'), good)
  for (const [index, bytes] of fc.sample(damaged, 40).entries()) {
    await writeFile(join(folder, `${index}`), bytes)
    const failure = await run(`${index}`).then(
      () => null,
      (error) => error,
    )
    if (failure !== null) expect(failure).toHaveProperty('code', expect.stringMatching(/^[a-z_]+$/))
  }
  expect((await run('good')).outputs.length).toBeGreaterThan(0)
  await rm(folder, { recursive: true })
})

test('what ONNX Runtime would read in its own format, and admission as ONNX, is not loaded', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'assay-own-format-'))
  const options = sessionOptions('cpu', { optimization: 'disabled', threads: 1 })
  const optimizedModelFilePath = join(folder, 'model.ort')
  const extra = { session: { save_model_format: 'ORT' } }
  const saving = { optimizedModelFilePath, graphOptimizationLevel: 'disabled', extra } as const
  await (await InferenceSession.create(good, saving)).release()
  const own = await readFile(optimizedModelFilePath)
  expect(own.toString('latin1', 4, 8)).toBe('ORTM')
  await expect(InferenceSession.create(own, options)).rejects.toThrow()
  await rm(folder, { recursive: true })
})
