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
  const { take, isShort } = createSpaceWatch(disk, () => disk.leasedBytes)
  return {
    disk,
    isShort,
    /** @returns of jobs of so many bytes, those that are taken */
    take: (...jobs: number[]) =>
      take(jobs.map((outputBytes) => ({ outputBytes }))).map(({ outputBytes }) => outputBytes),
  }
}

const short = expect.objectContaining({ status: 503, code: 'space_short' })

test('where no output would fit no work begins, until there is room again', () => {
  const { take } = watching(10, 9, 10)
  expect(take(10)).toEqual([10])
  vi.advanceTimersByTime(2_000)
  expect(() => take(10)).toThrow(short)
  vi.advanceTimersByTime(2_000)
  expect(take(10)).toEqual([10])
})

test('jobs that find room are taken, past those that do not, and what is leased has its own', () => {
  const { disk, take } = watching(100, 100)
  disk.leasedBytes = 70
  expect(take(31, 20, 20, 10)).toEqual([20, 10])
  disk.leasedBytes = 90
  vi.advanceTimersByTime(2_000)
  expect(take(11, 10)).toEqual([10])
})

test('space is short while the smallest of those that last asked would find none', () => {
  const { disk, isShort, take } = watching(0, -1, 100, 100, 100, 9.5 * 1024 ** 3, 9.5 * 1024 ** 3)
  expect([isShort(), isShort()]).toEqual([false, true])
  disk.leasedBytes = 80
  expect(() => take(31, 21)).toThrow(short)
  expect(isShort()).toBe(true)
  disk.leasedBytes = 79
  expect(isShort()).toBe(false)
  disk.leasedBytes = 9.5 * 1024 ** 3
  expect(isShort()).toBe(true)
  disk.leasedBytes -= 21
  expect(isShort()).toBe(false)
})

test('no jobs need no room', () => {
  expect(watching(-1).take()).toEqual([])
})

test('the disk is asked at most every two seconds, full or not', () => {
  const { disk, take } = watching(9, 10)
  expect(() => take(10)).toThrow(short)
  vi.advanceTimersByTime(1_999)
  expect(() => take(10)).toThrow(short)
  expect(disk.asked).toBe(1)
  vi.advanceTimersByTime(1)
  expect(take(10)).toEqual([10])
  expect(disk.asked).toBe(2)
})
