import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createBell } from '../../../src/coordinator/bell.ts'
import {
  openRequestQueue,
  type PendingRequest,
  type RequestQueue,
} from '../../../src/coordinator/requests.ts'
import { tinyDefinition } from './tiny-market.ts'

const NOW_MS = 1_800_000_000_000
const ANSWER = {
  outputs: Uint8Array.of(1),
  receiptId: new Uint8Array(32),
  job: new Uint8Array(),
  inputSalt: new Uint8Array(32),
  outputSalt: new Uint8Array(32),
}

beforeEach(() => {
  vi.useFakeTimers({ now: NOW_MS })
})
afterEach(() => {
  vi.useRealTimers()
})

function asked(
  requester: string,
  deadlineMs = NOW_MS + 30_000,
  priority = 2,
): Omit<PendingRequest, 'settle' | 'failedBy'> {
  const subnet = tinyDefinition()
  const [model] = subnet.models
  if (model === undefined) throw new Error('a subnet has a model')
  return {
    subnet,
    model,
    inputs: Uint8Array.of(0x80),
    items: 1,
    requester,
    quoteMsat: 0n,
    deadlineMs,
    priority,
  }
}

function only(requests: PendingRequest[]): PendingRequest {
  const [request, ...others] = requests
  if (request === undefined || others.length > 0) throw new Error(`${requests.length} requests`)
  return request
}

const WORKER = '00'

function take(queue: RequestQueue, max: number, worker = WORKER): PendingRequest[] {
  return queue.take(worker, max, Number.MAX_SAFE_INTEGER)
}

const names = (requests: PendingRequest[]) => requests.map(({ requester }) => requester)

test('requests are taken in their order, each once, and the bell rings for each', async () => {
  const bell = createBell()
  const queue = openRequestQueue(bell)
  let rings = 0
  void bell.wait(60_000).then(() => {
    rings += 1
  })
  for (const name of ['a', 'b', 'c']) void queue.ask(asked(name))
  await vi.advanceTimersByTimeAsync(0)
  expect(rings).toBe(1)
  expect(names(take(queue, 2))).toEqual(['a', 'b'])
  expect(names(take(queue, 2))).toEqual(['c'])
  expect(take(queue, 2)).toEqual([])
  expect(queue.length).toBe(3)
})

test('a lower priority number goes first, equal ones in their order, and what comes back to the head of its own', () => {
  const queue = openRequestQueue(createBell())
  for (const [name, priority] of [
    ['a', 2],
    ['b', 3],
    ['c', 1],
    ['d', 2],
    ['e', 1],
  ] as const) {
    queue.ask(asked(name, undefined, priority)).catch(() => {})
  }
  const [c, e, a] = take(queue, 3)
  expect(names([c, e, a].filter((request) => request !== undefined))).toEqual(['c', 'e', 'a'])
  if (a !== undefined) queue.putBack(a)
  if (e !== undefined) queue.lost(e, '01', 'it died')
  expect(names(take(queue, 9))).toEqual(['e', 'a', 'd', 'b'])
  queue.close()
})

test('the first outcome is the one that the requester gets', async () => {
  const queue = openRequestQueue(createBell())
  const asking = queue.ask(asked('a'))
  const request = only(take(queue, 1))
  request.settle({ answer: ANSWER })
  request.settle({ answer: { ...ANSWER, outputs: Uint8Array.of(2) } })
  expect(await asking).toBe(ANSWER)
  expect(queue.length).toBe(0)
  expect(vi.getTimerCount()).toBe(0)
})

test('a lost lease comes first again, for others, until three workers lost it', async () => {
  const queue = openRequestQueue(createBell())
  const asking = expect(queue.ask(asked('a'))).rejects.toMatchObject({
    status: 502,
    code: 'request_failed',
    message: '3 workers failed: out of memory',
  })
  void queue.ask(asked('b'))
  for (const worker of ['01', '02', '03']) {
    const request = only(take(queue, 1, worker))
    expect(request.requester).toBe('a')
    queue.lost(request, worker, 'out of memory')
  }
  await asking
  expect(names(take(queue, 2))).toEqual(['b'])
})

test('a worker does not get again what it lost, and cannot make a request fail alone', async () => {
  const queue = openRequestQueue(createBell())
  const asking = queue.ask(asked('a'))
  const request = only(take(queue, 1))
  for (let attempt = 0; attempt < 3; attempt += 1) queue.lost(request, WORKER, 'it burns')
  void queue.ask(asked('b'))
  expect(names(take(queue, 2))).toEqual(['b'])
  only(take(queue, 2, '02')).settle({ answer: ANSWER })
  expect(await asking).toBe(ANSWER)
})

test('what was not leased after all is for everyone, as often as it happens', () => {
  const queue = openRequestQueue(createBell())
  void queue.ask(asked('a'))
  for (let attempt = 0; attempt < 4; attempt += 1) queue.putBack(only(take(queue, 1)))
  expect(names(take(queue, 1))).toEqual(['a'])
})

test('inputs up to the bytes asked for are taken, and a larger one alone', () => {
  const queue = openRequestQueue(createBell())
  const sized = (name: string, bytes: number) =>
    void queue.ask({ ...asked(name), inputs: new Uint8Array(bytes) })
  sized('a', 4)
  sized('b', 6)
  sized('c', 1)
  sized('d', 11)
  expect(names(queue.take(WORKER, 10, 10))).toEqual(['a', 'b'])
  expect(names(queue.take(WORKER, 10, 10))).toEqual(['c'])
  expect(names(queue.take(WORKER, 10, 10))).toEqual(['d'])
  expect(queue.take(WORKER, 10, 10)).toEqual([])
})

test('at its deadline a request is over, whether it is leased or not, and is not put back', async () => {
  const queue = openRequestQueue(createBell())
  const late = { status: 504, code: 'deadline_exceeded' }
  const first = expect(queue.ask(asked('leased', NOW_MS + 1_000))).rejects.toMatchObject(late)
  const leased = only(take(queue, 1))
  const second = expect(queue.ask(asked('waiting', NOW_MS + 1_000))).rejects.toMatchObject(late)
  const third = expect(queue.ask(asked('past', NOW_MS - 1))).rejects.toMatchObject(late)
  await vi.advanceTimersByTimeAsync(999)
  expect(queue.length).toBe(2)
  await vi.advanceTimersByTimeAsync(1)
  await Promise.all([first, second, third])
  queue.putBack(leased)
  queue.lost(leased, WORKER, 'too late')
  expect(take(queue, 10)).toEqual([])
  expect(queue.length).toBe(0)
})

test('a requester that leaves takes its request along', async () => {
  const queue = openRequestQueue(createBell())
  const left = new AbortController()
  const asking = expect(queue.ask(asked('a'), left.signal)).rejects.toMatchObject({ code: 'requester_left' })
  left.abort()
  await asking
  await expect(queue.ask(asked('b'), left.signal)).rejects.toMatchObject({ code: 'requester_left' })
  expect(take(queue, 10)).toEqual([])
  expect(vi.getTimerCount()).toBe(0)
})

test('4,096 requests are under way at most', () => {
  const queue = openRequestQueue(createBell())
  for (let i = 0; i < 4_096; i += 1) void queue.ask(asked(`${i}`))
  const full = expect.objectContaining({ status: 429, code: 'queue_full' })
  expect(() => queue.ask(asked('one more'))).toThrow(full)
  // A leased one is under way, too.
  const request = only(take(queue, 1))
  expect(() => queue.ask(asked('one more'))).toThrow(full)
  request.settle({ answer: ANSWER })
  void queue.ask(asked('one more'))
  expect(queue.length).toBe(4_096)
})

test('closing answers everyone', async () => {
  const queue = openRequestQueue(createBell())
  const refused = { status: 503, code: 'shutting_down' }
  const asking = ['a', 'b'].map((name) => expect(queue.ask(asked(name))).rejects.toMatchObject(refused))
  take(queue, 1)
  queue.close()
  await Promise.all(asking)
  expect(queue.length).toBe(0)
  expect(vi.getTimerCount()).toBe(0)
})
