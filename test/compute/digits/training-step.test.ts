import { beforeAll, describe, expect, test } from 'vitest'
import { PARAMETER_SHAPES, PARAMETERS, type Parameter } from '../../../compute/digits/digits-network.ts'
import { trainingStep } from '../../../compute/digits/training-step.ts'
import { InferenceSession, Tensor } from '../../../compute/runtime/onnxruntime.ts'
import { seededRandom } from '../../../compute/work/seeded-random.ts'
import { type Parameters, referenceLoss } from './reference-loss.ts'

const LABELS = [0, 3, 9]
const RATE = 0.0625
const CHECKED_PER_PARAMETER = 10
/** Central differences in float64: their own error is about 1e-9. */
const STEP = 1e-5
/** The graph's arithmetic is FP32: relative to the largest gradient of the parameter. */
const TOLERANCE = 1e-5

const random = seededRandom('gradient check')

/** Random FP32 numbers, held in float64. */
const floats = (count: number, scale: number): Float64Array =>
  new Float64Array(count).map(() => Math.fround(scale * (2 * random() - 1)))

const ofEach = (make: (name: Parameter, count: number) => Float64Array): Parameters => ({
  kernels: make('kernels', 16 * 9),
  kernel_biases: make('kernel_biases', 16),
  w1: make('w1', 576 * 128),
  b1: make('b1', 128),
  w2: make('w2', 128 * 10),
  b2: make('b2', 10),
})

const rows = LABELS.map(() => floats(64, 1))
const parameters = ofEach((_, count) => floats(count, 0.2))
const velocities = ofEach((_, count) => floats(count, 0.1))

const fed = (values: Float64Array, shape: readonly number[]) =>
  new Tensor('float32', Float32Array.from(values), shape)

describe('trainingStep', () => {
  let outputs: InferenceSession.ReturnType

  beforeAll(async () => {
    const session = await InferenceSession.create(trainingStep(LABELS.length), { intraOpNumThreads: 1 })
    const oneHot = LABELS.flatMap((label) =>
      Array.from({ length: 10 }, (_, digit) => Number(digit === label)),
    )
    const state = PARAMETERS.flatMap((name) => [
      [name, fed(parameters[name], PARAMETER_SHAPES[name])],
      [`${name}_velocity`, fed(velocities[name], PARAMETER_SHAPES[name])],
    ])
    outputs = await session.run({
      x: fed(Float64Array.from(rows.flatMap((row) => [...row])), [LABELS.length, 64]),
      y: fed(Float64Array.from(oneHot), [LABELS.length, 10]),
      rate: fed(Float64Array.of(RATE), []),
      ...Object.fromEntries(state),
    })
  })

  const output = (name: string): Float64Array => {
    const data = outputs[name]?.data
    if (!(data instanceof Float32Array)) throw new Error(`${name} is not FP32`)
    return Float64Array.from(data)
  }

  test('the loss is the mean cross-entropy', () => {
    expect(output('loss')[0]).toBeCloseTo(referenceLoss(parameters, rows, LABELS), 5)
  })

  test.each(PARAMETERS)('the gradient of %s is the slope of the loss', (name) => {
    const gradient = output(`d_${name}`)
    const largest = Math.max(...gradient.map(Math.abs))
    expect(largest).toBeGreaterThan(0)
    for (let nth = 0; nth < CHECKED_PER_PARAMETER; nth++) {
      const index = Math.floor(random() * gradient.length)
      const lossAt = (change: number) => {
        const moved = parameters[name].with(index, (parameters[name][index] ?? Number.NaN) + change)
        return referenceLoss({ ...parameters, [name]: moved }, rows, LABELS)
      }
      const slope = (lossAt(STEP) - lossAt(-STEP)) / (2 * STEP)
      expect(Math.abs((gradient[index] ?? Number.NaN) - slope)).toBeLessThan(TOLERANCE * largest)
    }
  })

  test.each(PARAMETERS)('%s moves by momentum, gradient and decay', (name) => {
    const gradient = output(`d_${name}`)
    const velocity = velocities[name].map(
      (before, index) =>
        0.9 * before + (gradient[index] ?? Number.NaN) + 5e-4 * (parameters[name][index] ?? Number.NaN),
    )
    const next = parameters[name].map((before, index) => before - RATE * (velocity[index] ?? Number.NaN))
    const farthest = (a: Float64Array, b: Float64Array) =>
      Math.max(...a.map((value, i) => Math.abs(value - (b[i] ?? Number.NaN))))
    expect(farthest(output(`${name}_velocity_next`), velocity)).toBeLessThan(1e-6)
    expect(farthest(output(`${name}_next`), next)).toBeLessThan(1e-6)
  })
})
