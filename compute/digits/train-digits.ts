import assert from 'node:assert/strict'
import { InferenceSession, Tensor } from '../runtime/onnxruntime.ts'
import { seededRandom } from '../work/seeded-random.ts'
import { digitsModel, PARAMETER_SHAPES, PARAMETERS, type Parameter } from './digits-network.ts'
import { distortDigit } from './distort-digit.ts'
import { CLASSES, type Digits, loadDigits, MAX_PIXEL, PIXELS, TRAINING_ROWS } from './load-digits.ts'
import { trainingStep } from './training-step.ts'

/** 1,197 training rows are 19 batches of 63. */
const BATCH_ITEMS = 63
const BATCHES = TRAINING_ROWS / BATCH_ITEMS
const EPOCHS = 150
/** Falls along half a cosine to zero. */
const FIRST_RATE = 0.05
const SEED = 'assay digits 1'

const SESSION_OPTIONS: InferenceSession.SessionOptions = {
  executionProviders: ['cpu'],
  // One thread and a fixed order of additions: the same model every time on the same class of CPU.
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
}

export interface TrainingProgress {
  epoch: number
  epochs: number
  /** Mean cross-entropy of the epoch's last batch. */
  loss: number
}

interface TrainedDigits {
  /** ONNX bytes, as `digitsModel` describes. */
  model: Uint8Array
  /** Share of the unseen rows that the model names right. */
  accuracy: number
  unseen: number
}

/** Trains on the first 1,197 digits and measures on the rest. It loads ONNX Runtime and blocks: run it in a process of its own (train.ts). */
export async function trainDigits(
  onProgress: (progress: TrainingProgress) => void,
  seed = SEED,
): Promise<TrainedDigits> {
  const digits = loadDigits()
  const random = seededRandom(seed)
  const session = await InferenceSession.create(trainingStep(BATCH_ITEMS), SESSION_OPTIONS)
  const fetches = ['loss', ...PARAMETERS.flatMap((name) => [`${name}_next`, `${name}_velocity_next`])]
  let state = initialState(random)
  for (let epoch = 0; epoch < EPOCHS; epoch++) {
    const order = shuffled(TRAINING_ROWS, random)
    let loss = 0
    for (let batch = 0; batch < BATCHES; batch++) {
      const done = (epoch * BATCHES + batch) / (EPOCHS * BATCHES)
      const rate = (FIRST_RATE * (1 + Math.cos(Math.PI * done))) / 2
      const rows = order.slice(batch * BATCH_ITEMS, (batch + 1) * BATCH_ITEMS)
      const feeds = { ...batchOf(digits, rows, random), rate: new Tensor('float32', [rate], []), ...state }
      const outputs = await session.run(feeds, fetches)
      state = nextState(outputs)
      loss = floatsOf(outputs, 'loss')[0] ?? Number.NaN
    }
    onProgress({ epoch: epoch + 1, epochs: EPOCHS, loss })
  }
  await session.release()
  const model = digitsModel(parametersOf(state))
  return { model, ...(await measure(model, digits)) }
}

type State = Record<string, Tensor>

/** He's uniform initialisation (arXiv:1502.01852): ±√(6 / inputs of a unit). */
function initialState(random: () => number): State {
  const state: State = {}
  for (const name of PARAMETERS) {
    const shape = PARAMETER_SHAPES[name]
    const count = shape.reduce((product, size) => product * size, 1)
    const unitsAxis = name === 'kernels' ? 0 : 1
    const bound = shape.length === 1 ? 0 : Math.sqrt((6 * Number(shape[unitsAxis])) / count)
    state[name] = new Tensor(
      'float32',
      new Float32Array(count).map(() => bound * (2 * random() - 1)),
      shape,
    )
    state[`${name}_velocity`] = new Tensor('float32', new Float32Array(count), shape)
  }
  return state
}

function nextState(outputs: InferenceSession.ReturnType): State {
  const names = PARAMETERS.flatMap((name) => [name, `${name}_velocity`])
  return Object.fromEntries(names.map((name) => [name, tensorOf(outputs, `${name}_next`)]))
}

function parametersOf(state: State): Record<Parameter, Float32Array> {
  const of = (name: Parameter) => floatsOf(state, name)
  return {
    kernels: of('kernels'),
    kernel_biases: of('kernel_biases'),
    w1: of('w1'),
    b1: of('b1'),
    w2: of('w2'),
    b2: of('b2'),
  }
}

/** Fisher–Yates. */
function shuffled(count: number, random: () => number): number[] {
  const order = Array.from({ length: count }, (_, index) => index)
  for (let last = count - 1; last > 0; last--) {
    const chosen = Math.floor(random() * (last + 1))
    const swapped = order[chosen] ?? last
    order[chosen] = order[last] ?? last
    order[last] = swapped
  }
  return order
}

function batchOf({ pixels, labels }: Digits, rows: readonly number[], random: () => number): State {
  const x = new Float32Array(rows.length * PIXELS)
  const y = new Float32Array(rows.length * CLASSES)
  rows.forEach((row, item) => {
    const distorted = distortDigit(pixels[row] ?? new Float32Array(PIXELS), random)
    x.set(
      distorted.map((pixel) => pixel / MAX_PIXEL),
      item * PIXELS,
    )
    y[item * CLASSES + Number(labels[row])] = 1
  })
  return {
    x: new Tensor('float32', x, [rows.length, PIXELS]),
    y: new Tensor('float32', y, [rows.length, CLASSES]),
  }
}

async function measure(
  model: Uint8Array,
  { pixels, labels }: Digits,
): Promise<{ accuracy: number; unseen: number }> {
  const rows = pixels.slice(TRAINING_ROWS)
  const fed = new Float32Array(rows.length * PIXELS)
  rows.forEach((row, item) => {
    fed.set(row, item * PIXELS)
  })
  const session = await InferenceSession.create(model, SESSION_OPTIONS)
  const logits = floatsOf(
    await session.run({ pixels: new Tensor('float32', fed, [rows.length, PIXELS]) }),
    'logits',
  )
  await session.release()
  const right = rows.filter((_, item) => {
    const row = logits.subarray(item * CLASSES, (item + 1) * CLASSES)
    return row.indexOf(Math.max(...row)) === labels[TRAINING_ROWS + item]
  })
  return { accuracy: right.length / rows.length, unseen: rows.length }
}

function tensorOf(values: InferenceSession.ReturnType, name: string): Tensor {
  const value = values[name]
  assert(value !== undefined, `the graph returns ${name}`)
  return value
}

function floatsOf(values: InferenceSession.ReturnType, name: string): Float32Array {
  const { data } = tensorOf(values, name)
  assert(data instanceof Float32Array)
  return data
}
