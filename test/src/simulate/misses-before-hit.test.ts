import { expect, test } from 'vitest'
import { seededRandom } from '../../../compute/work/seeded-random.ts'
import { missesBeforeHit } from '../../../src/simulate/misses-before-hit.ts'

test.each([
  // With chance 1/4: k misses and then the hit have 3/4 to the k or more, so draws below 1/4 hit at once.
  [0, 0],
  [0.2499, 0],
  [0.2501, 1],
  [1 - 0.75 ** 2 + 1e-9, 2],
  [1 - 0.75 ** 3 - 1e-9, 2],
])('a draw of %f means %i misses', (draw, misses) => {
  expect(missesBeforeHit(0.25, () => draw)).toBe(misses)
})

test('the mean is what trials one by one would give', () => {
  const random = seededRandom('misses')
  const sum = Array.from({ length: 20_000 }, () => missesBeforeHit(0.01, random)).reduce((a, b) => a + b, 0)
  // (1 − p) / p = 99, with a standard deviation of 0.7.
  expect(Math.abs(sum / 20_000 - 99)).toBeLessThan(3.5)
})
