import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { encodeModel } from '../../../compute/onnx/model.ts'
import { largestUsefulBatch } from '../../../compute/runtime/largest-useful-batch.ts'
import { type ModelRunner, startModelRunner } from '../../../compute/runtime/model-runner.ts'
import { encodeTensorBundle } from '../../../compute/work/tensor-bundle.ts'
import { mlp, total, wavyFloats } from '../onnx/sample-models.ts'

let folder: string
let runner: ModelRunner
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assay-batch-'))
  for (const [name, sample] of Object.entries({ mlp, total }))
    await writeFile(join(folder, name), encodeModel(sample()))
  runner = await startModelRunner({ provider: 'cpu' })
})
afterAll(async () => {
  await runner[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

function sweep(name: string, ...shape: number[]): Promise<number> {
  const data = new Uint8Array(wavyFloats(shape.reduce((product, size) => product * size, 1)).buffer)
  return largestUsefulBatch(runner, {
    modelPath: join(folder, name),
    modelDigest: name,
    profile: { optimization: 'all', threads: 1, precision: 'fp32' },
    inputs: encodeTensorBundle([{ name: 'x', datatype: 'FP32', shape, data }]),
    deadlineMs: Date.now() + 60_000,
  })
}

test('rows that cost less together are worth running together, 256 at most', async () => {
  const rows = await sweep('mlp', 1, 64)
  expect(rows).toBeGreaterThan(1)
  expect(rows).toBeLessThanOrEqual(256)
  expect(await sweep('mlp', 256, 64)).toBe(256)
})

test.each([
  ['of one row', [1, 4]],
  ['of two', [2, 4]],
])(
  'outputs that are not a row for each are not worth trying together, from a request %s',
  async (_, shape) => {
    expect(await sweep('total', ...shape)).toBe(1)
  },
)

test('neither are inputs that are no rows, that the model refuses, or above 256 rows', async () => {
  expect(await sweep('mlp')).toBe(1)
  expect(await sweep('mlp', 2, 63)).toBe(1)
  expect(await sweep('mlp', 257, 64)).toBe(1)
})
