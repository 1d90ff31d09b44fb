import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createSpaceWatch, MIN_FREE_BYTES } from '../../../src/coordinator/space-watch.ts'

beforeEach(() => {
  vi.useFakeTimers({ now: 1_800_000_000_000 })
})
afterEach(() => {
  vi.useRealTimers()
})

function watching(...readings: number[]) {
  const disk = { asked: 0, freeBytes: () => readings[disk.asked++] ?? Number.NaN }
  return { disk, assertSpace: createSpaceWatch(disk) }
}

const short = expect.objectContaining({ status: 503, code: 'space_short' })

test('below the least that must be free no work begins, until there is room again', () => {
  const { assertSpace } = watching(MIN_FREE_BYTES, MIN_FREE_BYTES - 1, MIN_FREE_BYTES)
  assertSpace()
  vi.advanceTimersByTime(2_000)
  expect(assertSpace).toThrow(short)
  vi.advanceTimersByTime(2_000)
  assertSpace()
})

test('the disk is asked at most every two seconds', () => {
  const { disk, assertSpace } = watching(0, MIN_FREE_BYTES)
  expect(assertSpace).toThrow(short)
  vi.advanceTimersByTime(1_999)
  expect(assertSpace).toThrow(short)
  expect(disk.asked).toBe(1)
  vi.advanceTimersByTime(1)
  assertSpace()
  expect(disk.asked).toBe(2)
})
