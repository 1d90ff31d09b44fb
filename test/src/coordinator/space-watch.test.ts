import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createSpaceWatch, MIN_FREE_BYTES } from '../../../src/coordinator/space-watch.ts'

beforeEach(() => {
  vi.useFakeTimers({ now: 1_800_000_000_000 })
})
afterEach(() => {
  vi.useRealTimers()
})

/** A disk with so much more than has to be free, at each look. */
function watching(...readings: number[]) {
  const disk = {
    asked: 0,
    leasedBytes: 0,
    freeBytes: () => MIN_FREE_BYTES + (readings[disk.asked++] ?? Number.NaN),
  }
  return { disk, take: createSpaceWatch(disk, () => disk.leasedBytes) }
}

const short = expect.objectContaining({ status: 503, code: 'space_short' })

test('where no output would fit no work begins, until there is room again', () => {
  const { take } = watching(10, 9, 10)
  expect(take([10])).toBe(1)
  vi.advanceTimersByTime(2_000)
  expect(() => take([10])).toThrow(short)
  expect(take([10])).toBe(1)
})

test('as many jobs are taken as find room, and what is leased has its own', () => {
  const { disk, take } = watching(100, 100)
  disk.leasedBytes = 70
  expect(take([20, 20])).toBe(1)
  disk.leasedBytes = 90
  expect(take([10])).toBe(1)
})

test('no jobs need no room', () => {
  expect(watching(-1).take([])).toBe(0)
})

test('where there is room the disk is asked at most every two seconds', () => {
  const { disk, take } = watching(30, 30)
  for (let taken = 0; taken < 3; taken += 1) expect(take([10])).toBe(1)
  vi.advanceTimersByTime(1_999)
  expect(disk.asked).toBe(1)
  vi.advanceTimersByTime(1)
  expect(take([10])).toBe(1)
  expect(disk.asked).toBe(2)
})
