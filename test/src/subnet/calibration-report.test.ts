import { describe, expect, test } from 'vitest'
import type { Calibration } from '../../../compute/compare/calibrate.ts'
import { modelProfile } from '../../../compute/work/model-profile.ts'
import { readReport, reportOf } from '../../../src/subnet/calibration-report.ts'

const MODEL = 'ab'.repeat(32)
const CALIBRATION: Calibration = {
  model: MODEL,
  inputs: 'cd'.repeat(32),
  machines: [{ machine: 'this one', configurations: ['plain', 'fast'] }],
  spread: { y: 2e-7 },
  margin: 8,
  bounds: [{ atol: { digits: 12, scale: 39 }, output: 'y', rtol: { digits: 77, scale: 7 }, top: null }],
  honest: { runs: 300, failed: 0 },
  p0: { numerator: 3, denominator: 300 },
  detections: [
    { cheat: 'int8_weights', runs: 10, caught: 10, detection: 1, claimed: true },
    { cheat: 'a rival', runs: 10, caught: 2, detection: 0.2, claimed: false },
  ],
  refusals: [],
}
const text = (changes: object = {}) => JSON.stringify({ ...reportOf(CALIBRATION), ...changes })

describe('a report of a calibration', () => {
  test('gives the definition its profile, with the claimed cheats alone, and the rate', () => {
    const { profile, falseFailRate } = readReport(text(), MODEL)
    expect(modelProfile.parse(profile)).toEqual(profile)
    expect(profile).toEqual({
      bounds: CALIBRATION.bounds,
      comparison: 'tolerant',
      detections: [{ caught: 10, cheat: 'int8_weights', runs: 10 }],
      precision: 'fp32',
    })
    expect(falseFailRate).toEqual({ numerator: 3, denominator: 300 })
  })

  test.each([
    ['of another model', () => readReport(text(), 'ef'.repeat(32)), 'calibration_of_other_model'],
    [
      'that will not do',
      () => readReport(text({ refusals: ['int8_weights: claimed, but only 2 of 10 are caught'] }), MODEL),
      'calibration_refused',
    ],
    ['that is no JSON', () => readReport('bounds = 1', MODEL), 'calibration_malformed'],
    ['without a profile', () => readReport(text({ profile: undefined }), MODEL), 'calibration_malformed'],
    [
      'that claims what it does not catch',
      () =>
        readReport(
          text({
            profile: { ...reportOf(CALIBRATION).profile, detections: [{ caught: 8, cheat: 'x', runs: 10 }] },
          }),
          MODEL,
        ),
      'calibration_malformed',
    ],
  ])('%s is refused', (_, read, code) => {
    expect(read).toThrow(expect.objectContaining({ code }))
  })
})
