import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createBell } from '../../../src/coordinator/bell.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

/** What has resolved so far, in order. */
function watch(waits: Record<string, Promise<void>>): string[] {
  const done: string[] = []
  for (const [name, wait] of Object.entries(waits)) void wait.then(() => done.push(name))
  return done
}

test('a ring wakes everyone who waits, and nobody who comes later', async () => {
  const bell = createBell()
  const before = watch({ a: bell.wait(1_000), b: bell.wait(2_000) })
  bell.ring()
  const after = watch({ c: bell.wait(1_000) })
  await vi.advanceTimersByTimeAsync(0)
  expect(before).toEqual(['a', 'b'])
  expect(after).toEqual([])
  expect(vi.getTimerCount()).toBe(1)
})

test('a wait ends when its time is over', async () => {
  const done = watch({ a: createBell().wait(1_000) })
  await vi.advanceTimersByTimeAsync(999)
  expect(done).toEqual([])
  await vi.advanceTimersByTimeAsync(1)
  expect(done).toEqual(['a'])
})

test('a wait ends when its signal aborts, and at once when it has', async () => {
  const bell = createBell()
  const left = new AbortController()
  const done = watch({ a: bell.wait(1_000, left.signal), b: bell.wait(1_000) })
  left.abort()
  await vi.advanceTimersByTimeAsync(0)
  expect(done).toEqual(['a'])
  const gone = watch({ c: bell.wait(1_000, left.signal) })
  await vi.advanceTimersByTimeAsync(0)
  expect(gone).toEqual(['c'])
  expect(vi.getTimerCount()).toBe(1)
})

test('nothing is left behind, however a wait ends', async () => {
  const bell = createBell()
  const { signal } = new AbortController()
  const remove = vi.spyOn(signal, 'removeEventListener')
  void bell.wait(1_000, signal)
  bell.ring()
  await vi.advanceTimersByTimeAsync(0)
  expect(remove).toHaveBeenCalledOnce()
  expect(vi.getTimerCount()).toBe(0)
})
