import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { graph, model, node, tensor, valueInfo } from '../../../compute/onnx/graph-builder.ts'
import { encodeModel } from '../../../compute/onnx/model.ts'
import { modelProfile } from '../../../compute/work/model-profile.ts'
import { seededRandom } from '../../../compute/work/seeded-random.ts'
import { encodeTensorBundle } from '../../../compute/work/tensor-bundle.ts'

const CLI = fileURLToPath(new URL('../../../src/cli/assay.js', import.meta.url))
const INPUTS = 40
const FEATURES = 300
const CLASSES = 7

const folder = mkdtempSync(join(tmpdir(), 'assay-cli-calibrate-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function assay(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, 'subnet', ...args, '--json'], {
    cwd: folder,
    encoding: 'utf8',
    env: { PATH: process.env.PATH ?? '' },
  })
  return { exitCode: status, result: status === 0 || status === 1 ? JSON.parse(stdout) : null, stderr }
}

/** One layer of weights; `twice` computes the same in another graph. */
function layer(seed: string, twice = false): Uint8Array {
  const random = seededRandom(seed)
  const weights = Float32Array.from({ length: FEATURES * CLASSES }, () => 2 * random() - 1)
  return encodeModel(
    model(
      graph('layer', {
        input: [valueInfo('x', 'FP32', ['N', FEATURES])],
        output: [valueInfo('y', 'FP32', ['N', CLASSES])],
        initializer: [tensor('w', 'FP32', [FEATURES, CLASSES], weights)],
        node: twice
          ? [
              node('MatMul', ['x', 'w'], ['once']),
              node('Add', ['once', 'once'], ['two']),
              node('Sub', ['two', 'once'], ['y']),
            ]
          : [node('MatMul', ['x', 'w'], ['y'])],
      }),
    ),
  )
}

beforeAll(() => {
  mkdirSync(join(folder, 'inputs'))
  const random = seededRandom('inputs')
  for (let input = 0; input < INPUTS; input++) {
    const values = Float32Array.from({ length: FEATURES }, () => 2 * random() - 1)
    writeFileSync(
      join(folder, 'inputs', `${100 + input}.cbor`),
      encodeTensorBundle([
        { name: 'x', datatype: 'FP32', shape: [1, FEATURES], data: new Uint8Array(values.buffer) },
      ]),
    )
  }
  writeFileSync(join(folder, 'layer.onnx'), layer('one'))
  writeFileSync(join(folder, 'variant.onnx'), layer('one', true))
  writeFileSync(join(folder, 'rival.onnx'), layer('another'))
})

describe('assay subnet calibrate', () => {
  test('takes the runs of another machine and writes the report that a definition takes', () => {
    const recorded = assay(
      'record',
      'layer.onnx',
      '--inputs',
      'inputs',
      '--machine',
      'other',
      '--out',
      'other.runs',
    )
    expect(recorded).toMatchObject({ exitCode: 0, result: { machine: 'other', out: 'other.runs' } })

    const { exitCode, result, stderr } = assay(
      ...['calibrate', 'layer.onnx', '--inputs', 'inputs', '--runs', 'other.runs', '--decide', 'y=1'],
      ...['--rival', 'rival=rival.onnx', '--out', 'report.json'],
    )
    expect(exitCode).toBe(0)
    expect(stderr).toContain('cpu disabled, 1 threads, batch 1')
    expect(result.machines).toHaveLength(2)
    expect(result.refusals).toEqual([])
    const { detections } = result
    expect(detections.map((one: { cheat: string; detection: number }) => [one.cheat, one.detection])).toEqual(
      [
        ['fp16_weights', 1],
        ['int8_weights', 1],
        ['other_weights', 1],
        ['rival', 1],
      ],
    )
    expect(modelProfile.parse(result.profile)).toMatchObject({
      comparison: 'tolerant',
      bounds: [{ output: 'y', top: { count: 1 } }],
    })
    expect(JSON.parse(readFileSync(join(folder, 'report.json'), 'utf8'))).toEqual(result)
  })

  test('holds another graph of the same function for honest and other weights for a cheat', () => {
    const within = assay(
      'compare',
      'layer.onnx',
      'variant.onnx',
      '--inputs',
      'inputs',
      '--calibration',
      'report.json',
    )
    expect(within).toMatchObject({ exitCode: 0, result: { passed: INPUTS, inputs: INPUTS, reason: null } })
    const outside = assay(
      'compare',
      'layer.onnx',
      'rival.onnx',
      '--inputs',
      'inputs',
      '--calibration',
      'report.json',
    )
    expect(outside).toMatchObject({
      exitCode: 1,
      result: { passed: 0, reason: expect.stringContaining('"y"') },
    })
    expect(assay('compare', 'layer.onnx', 'rival.onnx', '--noise', '2')).toMatchObject({
      exitCode: 0,
      result: { outputs: { y: expect.any(Number) }, passed: null, inputs: 2 },
    })
  })

  test('exits with 1 where a cheat that is claimed slips through', () => {
    const { exitCode, result } = assay(
      ...['calibrate', 'layer.onnx', '--inputs', 'inputs', '--rival', 'copy=layer.onnx', '--claim', 'copy'],
    )
    expect(exitCode).toBe(1)
    expect(result.refusals).toEqual(['copy: claimed, but only 0 of 20 are caught'])
  })

  test.each([
    ['no inputs', ['calibrate', 'layer.onnx'], 'inputs_missing'],
    ['an empty folder', ['calibrate', 'layer.onnx', '--inputs', 'none'], 'inputs_unfit'],
    [
      'inputs of two kinds',
      ['calibrate', 'layer.onnx', '--inputs', 'inputs', '--noise', '3'],
      'cannot be used with',
    ],
    ['no whole number', ['calibrate', 'layer.onnx', '--noise', '1.5'], 'expected 1 to 10000'],
    [
      'a decision without a count',
      ['calibrate', 'layer.onnx', '--noise', '2', '--decide', 'y'],
      'name=value',
    ],
  ])('refuses %s', (_, args, said) => {
    mkdirSync(join(folder, 'none'), { recursive: true })
    const { exitCode, stderr } = assay(...args)
    expect(exitCode).toBe(2)
    expect(stderr).toContain(said)
  })

  test("refuses another model's runs", () => {
    const { exitCode, stderr } = assay(
      'calibrate',
      'rival.onnx',
      '--inputs',
      'inputs',
      '--runs',
      'other.runs',
    )
    expect(exitCode).toBe(3)
    expect(stderr).toContain('runs_of_other_work')
  })
})
