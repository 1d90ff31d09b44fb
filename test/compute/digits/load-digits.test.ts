import { expect, test } from 'vitest'
import { loadDigits, TRAINING_ROWS } from '../../../compute/digits/load-digits.ts'

test('1,797 digits of 64 pixels from 0 to 16, each of the ten in both parts of the split', () => {
  const { pixels, labels } = loadDigits()
  expect(pixels).toHaveLength(1_797)
  expect(labels).toHaveLength(1_797)
  for (const row of pixels) {
    expect(row).toHaveLength(64)
    expect(row.every((pixel) => Number.isInteger(pixel) && pixel >= 0 && pixel <= 16)).toBe(true)
  }
  const ten = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
  expect([...new Set(labels.slice(0, TRAINING_ROWS))].sort()).toEqual(ten)
  expect([...new Set(labels.slice(TRAINING_ROWS))].sort()).toEqual(ten)
})

test('rows keep the order of their file', () => {
  const { pixels, labels } = loadDigits()
  expect([...(pixels[0]?.slice(0, 8) ?? [])]).toEqual([0, 0, 5, 13, 9, 1, 0, 0])
  expect(labels.slice(0, 10)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
})
