import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { repeating } from '../../../src/coordinator/repeating.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

/** Rounds that end when the test says so. */
function byHand() {
  const rounds: PromiseWithResolvers<void>[] = []
  const errors: unknown[] = []
  const loop = repeating(
    () => {
      const round = Promise.withResolvers<void>()
      rounds.push(round)
      return round.promise
    },
    (error) => errors.push(error),
  )
  const end = async (index: number) => {
    rounds[index]?.resolve()
    await vi.advanceTimersByTimeAsync(0)
  }
  const fail = async (index: number, error: Error) => {
    rounds[index]?.reject(error)
    await vi.advanceTimersByTimeAsync(0)
  }
  return { loop, rounds, errors, end, fail }
}

test('kicks during a round share the next one, which begins when that is over', async () => {
  const { loop, rounds, end } = byHand()
  const done: string[] = []
  void loop.kick().then(() => done.push('first'))
  void loop.kick().then(() => done.push('second'))
  void loop.kick().then(() => done.push('third'))
  expect(rounds).toHaveLength(1)
  await end(0)
  expect(done).toEqual(['first'])
  expect(rounds).toHaveLength(2)
  await end(1)
  expect(done).toEqual(['first', 'second', 'third'])
  expect(rounds).toHaveLength(2)
})

test('a round that failed is told of, ends its kick, and is tried again by itself, ever later', async () => {
  const { loop, rounds, errors, fail, end } = byHand()
  const trouble = new Error('the node is down')
  let over = false
  void loop.kick().then(() => {
    over = true
  })
  // 500 ms doubled up to a minute.
  const waitsMs = [500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]
  for (const [index, waitMs] of waitsMs.entries()) {
    await fail(index, trouble)
    expect(errors).toHaveLength(index + 1)
    await vi.advanceTimersByTimeAsync(waitMs - 1)
    expect(rounds).toHaveLength(index + 1)
    await vi.advanceTimersByTimeAsync(1)
    expect(rounds).toHaveLength(index + 2)
  }
  expect(over).toBe(true)
  expect(new Set(errors)).toEqual(new Set([trouble]))

  // One good round, and the next failure is soon tried again.
  await end(waitsMs.length)
  expect(vi.getTimerCount()).toBe(0)
  void loop.kick()
  await fail(waitsMs.length + 1, trouble)
  await vi.advanceTimersByTimeAsync(500)
  expect(rounds).toHaveLength(waitsMs.length + 3)
})

test('a kick takes the place of the retry', async () => {
  const { loop, rounds, fail, end } = byHand()
  void loop.kick()
  await fail(0, new Error('once'))
  void loop.kick()
  expect(rounds).toHaveLength(2)
  await end(1)
  await vi.advanceTimersByTimeAsync(120_000)
  expect(rounds).toHaveLength(2)
})

test('closing waits for the round in hand and lets none follow', async () => {
  const { loop, rounds, end } = byHand()
  void loop.kick()
  const queued = loop.kick()
  let closed = false
  const closing = loop.close().then(() => {
    closed = true
  })
  await vi.advanceTimersByTimeAsync(0)
  expect(closed).toBe(false)
  await end(0)
  await Promise.all([closing, queued, loop.kick(), loop.close()])
  expect(rounds).toHaveLength(1)
})

test('closing ends the retries', async () => {
  const { loop, rounds, errors, fail } = byHand()
  void loop.kick()
  await fail(0, new Error('before'))
  await loop.close()
  await vi.advanceTimersByTimeAsync(120_000)
  expect(rounds).toHaveLength(1)
  expect(errors).toHaveLength(1)

  const other = byHand()
  void other.loop.kick()
  const closing = other.loop.close()
  await other.fail(0, new Error('while closing'))
  await closing
  expect(vi.getTimerCount()).toBe(0)
  expect(other.errors).toHaveLength(1)
})
