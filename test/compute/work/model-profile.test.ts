import { describe, expect, test } from 'vitest'
import {
  isClaimable,
  type ModelProfile,
  modelProfile,
  profileMismatch,
} from '../../../compute/work/model-profile.ts'
import type { ExecutionProfile } from '../../../compute/work/receipt.ts'

const TOLD: ExecutionProfile = {
  batch: 3,
  device: 'x86-64-v3',
  optimization: 'disabled',
  ort: '1.30.0',
  precision: 'fp32',
  provider: 'cpu',
  threads: 1,
}
const { batch: _, ...executed } = TOLD
const EXACT: ModelProfile = { comparison: 'exact', ...executed }
const BOUND = { atol: { digits: 0, scale: 0 }, output: 'y', rtol: { digits: 77, scale: 7 }, top: null }
const TOLERANT: ModelProfile = {
  bounds: [BOUND],
  comparison: 'tolerant',
  detections: [{ caught: 9, cheat: 'int8_weights', runs: 10 }],
  precision: 'fp32',
}

describe('profileMismatch', () => {
  test.each<[string, ModelProfile]>([
    ['exact', EXACT],
    ['tolerant', TOLERANT],
  ])('is nothing for work done as %s wants it', (_, required) => {
    expect(profileMismatch(required, 3, TOLD)).toBeNull()
  })

  test.each<[keyof ExecutionProfile, string | number]>([
    ['batch', 4],
    ['device', 'x86-64-v2'],
    ['optimization', 'all'],
    ['ort', '1.29.0'],
    ['precision', 'fp16'],
    ['provider', 'cuda'],
    ['threads', 2],
  ])('is another %s under exact', (key, received) => {
    const found = profileMismatch(EXACT, 3, { ...TOLD, [key]: received })
    expect(found).toEqual({ key, expected: TOLD[key], received })
  })

  test('is nothing for any device, provider, version and level under tolerant', () => {
    const told = { ...TOLD, device: 'NVIDIA H200', ort: '1.31.0', threads: 8 }
    expect(profileMismatch(TOLERANT, 3, { ...told, provider: 'cuda', optimization: 'all' })).toBeNull()
  })

  test('is nothing where rows of others ran with them under tolerant, and a batch of its own under exact', () => {
    expect(profileMismatch(TOLERANT, 1, TOLD)).toBeNull()
    expect(profileMismatch(EXACT, 1, TOLD)).toEqual({ key: 'batch', expected: 1, received: 3 })
  })

  test('is another precision or too small a batch under tolerant', () => {
    expect(profileMismatch(TOLERANT, 3, { ...TOLD, precision: 'fp16' })?.key).toBe('precision')
    expect(profileMismatch(TOLERANT, 4, TOLD)?.key).toBe('batch')
  })
})

test.each([
  [9, 10, true],
  [899, 1000, false],
  [900, 1000, true],
  [0, 1, false],
])('%i of %i caught may be claimed: %s', (caught, runs, expected) => {
  expect(isClaimable({ caught, runs })).toBe(expected)
})

describe('modelProfile', () => {
  const refusalOf = (value: unknown) => modelProfile.safeParse(value).error?.issues[0]?.message

  test.each<[string, ModelProfile]>([
    ['exact', EXACT],
    ['tolerant', TOLERANT],
    ['tolerant without a float among the outputs', { ...TOLERANT, bounds: [] }],
    ['tolerant with a decision', { ...TOLERANT, bounds: [{ ...BOUND, top: { count: 1, tie: BOUND.rtol } }] }],
    ['tolerant that claims nothing', { ...TOLERANT, detections: [] }],
  ])('takes %s', (_, profile) => {
    expect(modelProfile.parse(profile)).toEqual(profile)
  })

  test.each<[string, unknown]>([
    ['a tenth and one slip through', { ...TOLERANT, detections: [{ caught: 89, cheat: 'x', runs: 100 }] }],
    ['more are caught than ran', { ...TOLERANT, detections: [{ caught: 11, cheat: 'x', runs: 10 }] }],
    ['nothing ran', { ...TOLERANT, detections: [{ caught: 0, cheat: 'x', runs: 0 }] }],
    ['a cheat is named twice', { ...TOLERANT, detections: [...TOLERANT.detections, ...TOLERANT.detections] }],
    ['an output is bounded twice', { ...TOLERANT, bounds: [BOUND, BOUND] }],
    ['an output has no name', { ...TOLERANT, bounds: [{ ...BOUND, output: '' }] }],
    [
      'there are 65 bounds',
      { ...TOLERANT, bounds: Array.from({ length: 65 }, (_, i) => ({ ...BOUND, output: `${i}` })) },
    ],
    ['a bound is a float', { ...TOLERANT, bounds: [{ ...BOUND, rtol: 1e-5 }] }],
    ['nothing is decided', { ...TOLERANT, bounds: [{ ...BOUND, top: { count: 0, tie: BOUND.rtol } }] }],
    ['it fixes a provider, too', { ...TOLERANT, provider: 'cpu' }],
    ['exact has bounds', { ...EXACT, bounds: [] }],
    ['the comparison is another', { ...TOLERANT, comparison: 'loose' }],
  ])('refuses it when %s', (_, value) => {
    expect(refusalOf(value)).toBeTypeOf('string')
  })
})
