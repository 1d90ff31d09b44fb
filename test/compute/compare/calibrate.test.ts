import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Calibration, calibrate } from '../../../compute/compare/calibrate.ts'
import { recordRuns, runPlainly } from '../../../compute/compare/calibrate-record.ts'
import { tolerantBounds } from '../../../compute/compare/compare-outputs.ts'
import { compareTolerant } from '../../../compute/compare/tolerant.ts'
import { loadDigits, PIXELS, TRAINING_ROWS } from '../../../compute/digits/load-digits.ts'
import { trainInChild } from '../../../compute/digits/train-in-child.ts'
import { tensor } from '../../../compute/onnx/graph-builder.ts'
import { decodeModel, encodeModel, type TensorProto } from '../../../compute/onnx/model.ts'
import { graphOf } from '../../../compute/onnx/signature.ts'
import { encodeTensorBundle, parseTensorBundle } from '../../../compute/work/tensor-bundle.ts'

const INPUTS = 60
const HIDDEN = 128
const CLASSES = 10

/** Two unseen digits each; `shift` moves every pixel to the next place. */
function digitInputs(shift: number): Uint8Array[] {
  const { pixels } = loadDigits()
  return Array.from({ length: INPUTS }, (_, input) => {
    const rows = [0, 1].flatMap((row) => [...(pixels[TRAINING_ROWS + 2 * input + row] ?? [])])
    const data = new Uint8Array(Float32Array.from(rows, (_, at) => rows[at - shift] ?? 0).buffer)
    return encodeTensorBundle([{ name: 'pixels', datatype: 'FP32', shape: [2, PIXELS], data }])
  })
}

/** The model with one of its weights' matrices given other columns: `columns[new] = old`. */
function permuted(model: Uint8Array, changes: Record<string, { axis: 0 | 1; places: number[] }>): Uint8Array {
  const decoded = decodeModel(model)
  const graph = graphOf(decoded)
  const initializer = graph.initializer.map((held) => {
    const change = changes[held.name ?? '']
    return change === undefined ? held : permutedTensor(held, change)
  })
  return encodeModel({ ...decoded, graph: { ...graph, initializer } })
}

function permutedTensor(held: TensorProto, { axis, places }: { axis: 0 | 1; places: number[] }): TensorProto {
  const dims = held.dims.map(Number)
  const columns = dims[1] ?? 1
  const weights = new Float32Array(new Uint8Array(held.rawData ?? []).buffer)
  const moved = weights.map((_, at) => {
    const [row, column] = [Math.floor(at / columns), at % columns]
    const from = axis === 0 ? Number(places[row]) * columns + column : row * columns + Number(places[column])
    return weights[from] ?? 0
  })
  return tensor(held.name ?? '', 'FP32', dims, moved)
}

const reversed = (count: number) => Array.from({ length: count }, (_, place) => count - 1 - place)
/** 3 and 5 change their labels. */
const SWAPPED = [0, 1, 2, 5, 4, 3, 6, 7, 8, 9]

let folder: string
let model: Uint8Array
let inputs: Uint8Array[]
let own: Uint8Array[]
let calibration: Calibration

const verdictsOf = (claimed: readonly Uint8Array[]) =>
  claimed.map(
    (output, at) =>
      compareTolerant(output, own[at] ?? new Uint8Array(0), tolerantBounds(calibration.bounds)).verdict,
  )
const ALL_FAIL = Array.from({ length: INPUTS }, () => 'fail')

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assay-calibrate-test-'))
  const path = join(folder, 'digits.onnx')
  const otherPath = join(folder, 'other.onnx')
  await Promise.all([trainInChild(path), trainInChild(otherPath, { seed: 'another one' })])
  model = new Uint8Array(await readFile(path))
  const other_seed = new Uint8Array(await readFile(otherPath))
  inputs = digitInputs(0)
  own = await runPlainly(model, inputs)
  const swapped_labels = permuted(model, {
    w2: { axis: 1, places: SWAPPED },
    b2: { axis: 0, places: SWAPPED },
  })
  calibration = await calibrate({
    model,
    inputs,
    machines: [await recordRuns({ model, inputs, machine: 'this one' })],
    decisions: { logits: 1 },
    rivals: { swapped_labels, other_seed },
    claims: null,
  })
})
afterAll(() => rm(folder, { recursive: true }))

describe('a calibrated digits model', () => {
  test('is accepted: no honest run fails and every claimed cheat is caught', () => {
    expect(calibration.refusals).toEqual([])
    expect(calibration.honest.failed).toBe(0)
    const caught = calibration.detections.map(({ cheat, detection, claimed }) => [cheat, detection, claimed])
    expect(caught).toEqual([
      ['fp16_weights', 1, true],
      ['int8_weights', 1, true],
      ['other_weights', 1, true],
      ['swapped_labels', 1, true],
      ['other_seed', 1, true],
    ])
  })

  test('was run under every configuration that the machine has, the plainest first', () => {
    const [machine] = calibration.machines
    expect(machine?.machine).toBe('this one')
    expect(machine?.configurations[0]).toBe('cpu disabled, 1 threads, batch 1')
    expect(machine?.configurations).toContain('cpu all, 1 threads, batch 8')
    expect(new Set(machine?.configurations).size).toBe(machine?.configurations.length)
    // Half of the inputs measure; the reference itself is no run that could fail.
    const others = Number(machine?.configurations.length) - 1
    expect(calibration.honest.runs).toBe((others * INPUTS) / 2)
    expect(calibration.p0).toEqual({ numerator: 3, denominator: calibration.honest.runs })
  })

  test('is one JSON value', () => {
    expect(JSON.parse(JSON.stringify(calibration))).toEqual(calibration)
  })

  test('passes another graph of the same function: hidden units in another order', async () => {
    const places = reversed(HIDDEN)
    const variant = permuted(model, {
      w1: { axis: 1, places },
      b1: { axis: 0, places },
      w2: { axis: 0, places },
    })
    const outputs = await runPlainly(variant, inputs)
    expect(outputs).not.toEqual(own)
    expect(verdictsOf(outputs)).toEqual(ALL_FAIL.map(() => 'pass'))
  })

  test('fails inputs that are off by one', async () => {
    expect(verdictsOf(await runPlainly(model, digitInputs(1)))).toEqual(ALL_FAIL)
  })

  test('fails outputs copied from another job', () => {
    expect(verdictsOf(own.map((_, at) => own[(at + 1) % INPUTS] ?? new Uint8Array(0)))).toEqual(ALL_FAIL)
  })

  test('fails swapped labels even where only the decision is looked at', () => {
    const top = tolerantBounds(calibration.bounds).logits?.top ?? null
    const wide = { logits: { atol: 1e9, rtol: 0, top } }
    const place = loadDigits().labels.slice(TRAINING_ROWS).indexOf(3)
    const output = own[Math.floor(place / 2)] ?? new Uint8Array(0)
    expect(compareTolerant(withSwappedLogits(output), output, wide)).toMatchObject({
      verdict: 'fail',
      reason: expect.stringContaining('decides differently'),
    })
  })
})

function withSwappedLogits(output: Uint8Array): Uint8Array {
  return encodeTensorBundle(
    parseTensorBundle(output).map((logits) => {
      const floats = new Float32Array(new Uint8Array(logits.data).buffer)
      const swapped = floats.map(
        (_, at) => floats[at - (at % CLASSES) + Number(SWAPPED[at % CLASSES])] ?? Number.NaN,
      )
      return { ...logits, data: new Uint8Array(swapped.buffer) }
    }),
  )
}
