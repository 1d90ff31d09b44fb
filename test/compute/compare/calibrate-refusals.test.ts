import { describe, expect, test } from 'vitest'
import { calibrate } from '../../../compute/compare/calibrate.ts'
import {
  encodeMachineRuns,
  inputsDigest,
  type MachineRuns,
  parseMachineRuns,
} from '../../../compute/compare/calibrate-runs.ts'
import { node } from '../../../compute/onnx/graph-builder.ts'
import { encodeModel } from '../../../compute/onnx/model.ts'
import { encodeCbor } from '../../../compute/work/canonical-cbor.ts'
import { decimalAtLeast } from '../../../compute/work/decimal.ts'
import { sha256 } from '../../../compute/work/tagged-hash.ts'
import { encodeTensorBundle } from '../../../compute/work/tensor-bundle.ts'
import { unary } from '../onnx/sample-models.ts'

const INPUTS = 40
const NUMBERS = 4

/** y = x, without weights to cheapen; what machines made of it is written by hand. */
const model = encodeModel(unary([node('Identity', ['x'], ['y'])], 'FP32', ['N']))
const inputs = Array.from({ length: INPUTS }, (_, input) => bundle('x', (at) => input + at + 1))

function bundle(name: string, numberAt: (at: number) => number): Uint8Array {
  const data = new Uint8Array(Float32Array.from({ length: NUMBERS }, (_, at) => numberAt(at)).buffer)
  return encodeTensorBundle([{ name, datatype: 'FP32', shape: [NUMBERS], data }])
}

/** A machine whose results are all so many times the right ones, under two configurations. */
function machineRuns(machine: string, factor: number): MachineRuns {
  const picks = inputs.map((_, input) => input)
  return {
    v: 1,
    model: sha256(model),
    inputs: inputsDigest(inputs),
    machine,
    outputs: inputs.map((_, input) => bundle('y', (at) => (input + at + 1) * factor)),
    runs: [
      { configuration: 'plain', picks },
      { configuration: 'fast', picks },
      { configuration: 'fastest', picks },
      { configuration: 'in one batch', picks },
    ],
  }
}

const right = machineRuns('right', 1)
const task = { model, inputs, machines: [right], decisions: {}, rivals: {}, claims: [] }

describe('a calibration is refused', () => {
  test('not when all machines agree and nothing is claimed', async () => {
    const { refusals, honest, bounds, detections } = await calibrate(task)
    expect(refusals).toEqual([])
    expect(honest).toEqual({ runs: (3 * INPUTS) / 2, failed: 0 })
    // At least 2^-126, and 8 × 16 roundoffs of 2^-24, where machines agree bit by bit.
    expect(bounds).toEqual([
      { atol: { digits: 12, scale: 39 }, output: 'y', rtol: { digits: 77, scale: 7 }, top: null },
    ])
    expect(detections).toEqual([])
  })

  test('when a claimed cheat slips through', async () => {
    const told: [number, number][] = []
    const { refusals, detections } = await calibrate({
      ...task,
      rivals: { copy: model },
      claims: ['copy'],
      onProgress: (...progress) => told.push(progress),
    })
    expect(told).toEqual(inputs.map((_, at) => [at + 1, INPUTS]))
    expect(refusals).toEqual(['copy: claimed, but only 0 of 20 are caught'])
    expect(detections).toEqual([{ cheat: 'copy', runs: 20, caught: 0, detection: 0, claimed: true }])
  })

  test('when a cheat is claimed that this model does not have', async () => {
    const { refusals } = await calibrate({ ...task, claims: ['fp16_weights'] })
    expect(refusals).toEqual(['fp16_weights: claimed, but there is no such cheat of this model'])
  })

  test('when what should decide is no output of floating-point numbers', async () => {
    const { refusals } = await calibrate({ ...task, decisions: { y: 1, z: 1 } })
    expect(refusals).toEqual(['z: decides, but there is no such output of floating-point numbers'])
  })

  test('when too few honest runs say too little about p0', async () => {
    const few = { ...right, runs: right.runs.slice(0, 3) }
    const { refusals, p0 } = await calibrate({ ...task, machines: [few] })
    expect(p0).toEqual({ numerator: 3, denominator: 40 })
    expect(refusals).toEqual(['0 of 40 honest runs fail: too many, or too few runs to tell'])
  })

  test('when too many honest runs fail: the inputs that set the bounds showed less than the others', async () => {
    const odd = machineRuns('odd', 1)
    const outputs = odd.outputs.map((output, input) =>
      input % 2 === 0 ? output : bundle('y', (at) => 1.01 * (input + at + 1)),
    )
    const { refusals } = await calibrate({ ...task, machines: [right, { ...odd, outputs }] })
    expect(refusals).toEqual(['80 of 140 honest runs fail: too many, or too few runs to tell'])
  })

  test('when machines differ in what is a number at all', async () => {
    const { refusals, spread, bounds } = await calibrate({
      ...task,
      machines: [right, machineRuns('broken', Number.NaN)],
    })
    expect(spread).toEqual({ y: Number.POSITIVE_INFINITY })
    expect(bounds).toEqual([])
    expect(refusals).toContain('y: honest runs differ by as much as the numbers themselves')
  })
})

test('a machine whose sums differ widens the bounds, for what it differs by to either side', async () => {
  const { refusals, spread, bounds, margin } = await calibrate({
    ...task,
    machines: [right, machineRuns('high', 1 + 2 ** -13), machineRuns('low', 1 - 2 ** -13)],
    decisions: { y: 2 },
  })
  expect(refusals).toEqual([])
  expect(spread.y).toBeCloseTo(2 ** -12, 6)
  expect(bounds[0]?.rtol).toEqual(decimalAtLeast(margin * Number(spread.y)))
  expect(bounds[0]?.top).toEqual({ count: 2, tie: decimalAtLeast(4 * Number(spread.y)) })
})

describe('runs of other machines', () => {
  test('are read back as they were written', () => {
    const bytes = encodeMachineRuns(right)
    const read = parseMachineRuns(bytes)
    expect(read.runs).toEqual(right.runs)
    expect(encodeMachineRuns(read)).toEqual(bytes)
  })

  test.each<[string, object, string]>([
    ['an output that is no bundle', { outputs: inputs.map(() => Buffer.of(1)) }, 'tensor bundle'],
    ['a pick of no output', { outputs: right.outputs.slice(1) }, 'plain: not one output for every input'],
    [
      'runs of unlike lengths',
      { runs: [...right.runs, { configuration: 'short', picks: [0] }] },
      'short: not one output for every input',
    ],
    ['no runs', { runs: [] }, 'runs'],
    ['another version', { v: 2 }, 'v'],
    ['an unknown field', { extra: 1 }, 'extra'],
    ['a digest of another length', { model: Buffer.alloc(31) }, 'model'],
  ])('are refused with %s', (_, spoiled, message) => {
    const bytes = encodeCbor({ ...right, ...spoiled })
    expect(() => parseMachineRuns(bytes)).toThrow(
      expect.objectContaining({ code: 'runs_malformed', message: expect.stringContaining(message) }),
    )
  })

  test('are refused where they are junk', () => {
    expect(() => parseMachineRuns(Buffer.from('junk'))).toThrow(
      expect.objectContaining({ code: 'runs_malformed' }),
    )
  })

  test.each<[string, Partial<MachineRuns>]>([
    ['another model', { model: Buffer.alloc(32) }],
    ['other inputs', { inputs: Buffer.alloc(32) }],
    ['fewer outputs', { runs: [{ configuration: 'c', picks: [0] }] }],
  ])('are refused for %s', async (_, spoiled) => {
    await expect(calibrate({ ...task, machines: [{ ...right, ...spoiled }] })).rejects.toMatchObject({
      code: 'runs_of_other_work',
    })
  })
})
