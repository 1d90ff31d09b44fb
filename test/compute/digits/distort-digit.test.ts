import fc from 'fast-check'
import { expect, test } from 'vitest'
import { distortDigit } from '../../../compute/digits/distort-digit.ts'
import { seededRandom } from '../../../compute/work/seeded-random.ts'

const digit = fc
  .array(fc.integer({ min: 0, max: 16 }), { minLength: 64, maxLength: 64 })
  .map((row) => Float32Array.from(row))

test('the middle of every distortion leaves the digit as it is', () => {
  fc.assert(
    fc.property(digit, (pixels) => {
      expect(distortDigit(pixels, () => 0.5)).toEqual(pixels)
    }),
  )
})

test('no pixel leaves the range of the original, and the same seed distorts the same way', () => {
  fc.assert(
    fc.property(digit, fc.string(), (pixels, seed) => {
      const distorted = distortDigit(pixels, seededRandom(seed))
      expect(distorted.every((pixel) => pixel >= 0 && pixel <= 16)).toBe(true)
      expect(distortDigit(pixels, seededRandom(seed))).toEqual(distorted)
    }),
  )
})

test('a distorted digit differs', () => {
  const pixels = new Float32Array(64).map((_, index) => index % 17)
  expect(distortDigit(pixels, seededRandom('a'))).not.toEqual(pixels)
})
