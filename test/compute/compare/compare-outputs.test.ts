import { describe, expect, test } from 'vitest'
import { compareOutputs } from '../../../compute/compare/compare-outputs.ts'
import type { ModelProfile } from '../../../compute/work/model-profile.ts'
import { encodeTensorBundle } from '../../../compute/work/tensor-bundle.ts'
import { fromHex, readVector } from '../work/read-vector.ts'

const outputs = (...values: number[]): Uint8Array =>
  encodeTensorBundle([
    {
      name: 'y',
      datatype: 'FP32',
      shape: [1, values.length],
      data: new Uint8Array(Float32Array.from(values).buffer),
    },
  ])

const OWN = outputs(1, 2)
const NEAR = outputs(1, 2.25)

const EXACT: ModelProfile = {
  comparison: 'exact',
  device: 'x86-64-v3',
  optimization: 'disabled',
  ort: '1.30.0',
  precision: 'fp32',
  provider: 'cpu',
  threads: 1,
}

/** |difference| ≤ `digits`/100 of the larger of number and root mean square. */
const within = (
  digits: number,
  top: { count: number; tie: { digits: number; scale: number } } | null = null,
) =>
  ({
    bounds: [{ atol: { digits: 0, scale: 0 }, output: 'y', rtol: { digits, scale: 2 }, top }],
    comparison: 'tolerant',
    detections: [],
    precision: 'fp32',
  }) satisfies ModelProfile

describe('compareOutputs', () => {
  test('goes by every bit under exact', () => {
    expect(compareOutputs(EXACT, OWN, Uint8Array.from(OWN)).verdict).toBe('pass')
    expect(compareOutputs(EXACT, NEAR, OWN).verdict).toBe('fail')
  })

  test('goes by the bounds of the profile under tolerant', () => {
    // An eighth of 2.
    expect(compareOutputs(within(13), NEAR, OWN).verdict).toBe('pass')
    expect(compareOutputs(within(12), NEAR, OWN).verdict).toBe('fail')
  })

  test('goes by the decision where the profile has one', () => {
    const swapped = outputs(2, 1)
    const tie = { digits: 1, scale: 2 }
    expect(compareOutputs(within(99), swapped, OWN).verdict).toBe('pass')
    expect(compareOutputs(within(99, { count: 1, tie }), swapped, OWN)).toMatchObject({
      verdict: 'fail',
      reason: '"y": row 0 decides differently',
    })
  })

  test('holds an output that the profile does not bound to every bit, whatever it is named', () => {
    const named = (name: string, value: number) =>
      encodeTensorBundle([
        { name, datatype: 'FP32', shape: [1], data: new Uint8Array(Float32Array.of(value).buffer) },
      ])
    for (const name of ['z', '__proto__', 'constructor']) {
      expect(compareOutputs(within(99), named(name, 1.0001), named(name, 1)).verdict).toBe('fail')
    }
  })

  test.each(['exact', 'tolerant'] as const)('fails bytes that are no bundle under %s', (comparison) => {
    const profile = comparison === 'exact' ? EXACT : within(99)
    const { verdict, reason } = compareOutputs(profile, Uint8Array.of(1, 2, 3), OWN)
    expect(verdict).toBe('fail')
    expect(reason).toContain('claimed outputs')
  })
})

const { cases } = readVector<{
  cases: { what: string; profile: ModelProfile; claimed: string; own: string; verdict: string }[]
}>('comparison')

describe('the vectors', () => {
  test.each(cases)('$what: $verdict', ({ profile, claimed, own, verdict }) => {
    expect(compareOutputs(profile, fromHex(claimed), fromHex(own)).verdict).toBe(verdict)
  })
})
