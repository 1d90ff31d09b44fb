import { expect, test } from 'vitest'
import { median, medianSeconds, percentile, sideBySide } from '../../bench/measure.ts'

test('two ways take turns, after a round of both that is not counted', async () => {
  const calls: string[] = []
  await sideBySide(
    async () => calls.push('A'),
    () => calls.push('B'),
    3,
  )
  expect(calls.join('')).toBe('ABABABAB')
})

test('one way alone runs once more than it is counted', async () => {
  let calls = 0
  await medianSeconds(() => (calls += 1), 3)
  expect(calls).toBe(4)
})

test.each([
  [[3], 3],
  [[3, 1, 2], 2],
  [[1, 100, 2, 3, 4], 3],
  [[4, 1, 3, 2], 3],
])('the median of %j is %d', (values, middle) => {
  expect(median(values)).toBe(middle)
})

test.each([
  [0, 1],
  [0.98, 99],
  [0.99, 100],
])('of the numbers from 1 to 100, %d are below %d', (share, found) => {
  expect(
    percentile(
      Array.from({ length: 100 }, (_, i) => i + 1),
      share,
    ),
  ).toBe(found)
})

test('nothing has no median', () => {
  expect(() => median([])).toThrow(RangeError)
})
