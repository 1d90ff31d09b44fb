import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadDigits, TRAINING_ROWS } from '../../../compute/digits/load-digits.ts'
import type { TrainingProgress } from '../../../compute/digits/train-digits.ts'
import { TrainingError, trainInChild } from '../../../compute/digits/train-in-child.ts'
import { admitModel } from '../../../compute/onnx/admission.ts'
import { InferenceSession, Tensor } from '../../../compute/runtime/onnxruntime.ts'

describe('trainInChild', () => {
  let folder: string
  let result: { accuracy: number; unseen: number }
  const progress: TrainingProgress[] = []

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'assay-digits-'))
    result = await trainInChild(join(folder, 'digits.onnx'), { onProgress: (one) => progress.push(one) })
  })
  afterAll(() => rm(folder, { recursive: true }))

  test('names at least 97 of 100 unseen digits', () => {
    expect(result.unseen).toBe(600)
    expect(result.accuracy).toBeGreaterThanOrEqual(0.97)
  })

  test('tells of every epoch, and the loss falls', () => {
    expect(progress.map(({ epoch }) => epoch)).toEqual(progress.map((_, index) => index + 1))
    expect(progress).toHaveLength(progress[0]?.epochs ?? 0)
    expect(progress.at(-1)?.loss).toBeLessThan((progress[0]?.loss ?? 0) / 5)
  })

  test('the file is an admissible model whose own answers have the accuracy that was told', async () => {
    const bytes = await readFile(join(folder, 'digits.onnx'))
    expect(admitModel(bytes).signature).toEqual({
      inputs: [{ name: 'pixels', datatype: 'FP32', shape: [null, 64] }],
      outputs: [{ name: 'logits', datatype: 'FP32', shape: [null, 10] }],
      opset: 13,
    })
    const session = await InferenceSession.create(bytes, { intraOpNumThreads: 1 })
    const { pixels, labels } = loadDigits()
    let right = 0
    for (let row = TRAINING_ROWS; row < pixels.length; row++) {
      const fed = new Tensor('float32', pixels[row] ?? [], [1, 64])
      const logits = Array.from((await session.run({ pixels: fed })).logits?.data ?? [], Number)
      if (logits.indexOf(Math.max(...logits)) === labels[row]) right++
    }
    expect(right / result.unseen).toBe(result.accuracy)
  })

  test('training again gives the same bytes', async () => {
    await trainInChild(join(folder, 'again.onnx'))
    expect(await readFile(join(folder, 'again.onnx'))).toEqual(await readFile(join(folder, 'digits.onnx')))
  })

  test('an unwritable path fails with the reason', async () => {
    const failed = trainInChild(join(folder, 'missing', 'digits.onnx'))
    await expect(failed).rejects.toThrow(TrainingError)
    await expect(failed).rejects.toThrow(/ENOENT/)
  })

  test('stops when it is told to', async () => {
    const abort = new AbortController()
    const stopped = trainInChild(join(folder, 'stopped.onnx'), {
      onProgress: () => abort.abort(),
      signal: abort.signal,
    })
    await expect(stopped).rejects.toMatchObject({ code: 'training_failed' })
    await expect(readFile(join(folder, 'stopped.onnx'))).rejects.toThrow(/ENOENT/)
  })
})
