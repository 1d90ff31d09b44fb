import { describe, expect, test } from 'vitest'
import { decodeModel, encodeModel } from '../../../compute/onnx/model.ts'
import { InferenceSession, Tensor } from '../../../compute/runtime/onnxruntime.ts'
import { probeCase, probeFault } from '../../../compute/runtime/probe-case.ts'

const { model, feeds, expected } = probeCase()

/** Runs the case with its weights changed as a worse provider would change them. */
async function faults(change: (weight: number, index: number) => number): Promise<(string | null)[]> {
  const changed = decodeModel(model)
  for (const initializer of changed.graph?.initializer ?? []) {
    const bytes = Uint8Array.from(initializer.rawData ?? [])
    const weights = new Float32Array(bytes.buffer)
    initializer.rawData = new Uint8Array(weights.map(change).buffer)
  }
  const session = await InferenceSession.create(encodeModel(changed), { intraOpNumThreads: 1 })
  const tensors = Object.entries(feeds).map(([name, { shape, data }]) => [
    name,
    new Tensor('float32', data, shape),
  ])
  const outputs = await session.run(Object.fromEntries(tensors))
  return Object.entries(expected).map(([name, values]) => {
    const data = outputs[name]?.data
    return data instanceof Float32Array ? probeFault(data, values) : 'no FP32'
  })
}

const roundTo = (bits: number) => (weight: number) => {
  if (weight === 0) return 0
  const unit = 2 ** (Math.floor(Math.log2(Math.abs(weight))) - bits)
  return Math.round(weight / unit) * unit
}

describe('the probe case', () => {
  test('is passed by the CPU', async () => {
    expect(await faults((weight) => weight)).toEqual([null, null])
  })

  test('is exact in FP32: no sum reaches 2^24', () => {
    for (const values of Object.values(expected)) {
      expect(values.every((value) => Number.isInteger(value) && Math.abs(value) < 2 ** 24)).toBe(true)
      expect(new Set(values).size).toBeGreaterThan(values.length / 2)
    }
  })

  test.each([
    ['TF32 and binary16 (10 bits)', roundTo(10)],
    ['bfloat16 (7 bits)', roundTo(7)],
    ['one wrong weight', (weight: number, index: number) => (index === 9 ? weight + 64 : weight)],
  ])('is failed by %s', async (_, change) => {
    for (const fault of await faults(change)) expect(fault).toMatch(/^element \d+ is /)
  })

  test('is failed by NaN and by a missing element', () => {
    const maps = expected.maps ?? new Float32Array(0)
    expect(probeFault(maps.with(3, Number.NaN), maps)).toMatch(/^element 3 is NaN/)
    expect(probeFault(maps.subarray(1), maps)).toMatch(/elements, expected/)
  })
})
