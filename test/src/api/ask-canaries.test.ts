import { expect, onTestFinished, test, vi } from 'vitest'
import { encodeTensorBundle } from '../../../compute/work/tensor-bundle.ts'
import { openCanaryRequests } from '../../../src/api/ask-canaries.ts'
import { openHeldBytes } from '../../../src/api/held-bytes.ts'
import { openServedModels } from '../../../src/api/served-models.ts'
import type { PendingRequest } from '../../../src/coordinator/requests.ts'
import { openModelStatistics } from '../../../src/oip/model-statistics.ts'
import { answer } from './infer-request.ts'
import { serveInfer } from './serve-infer.ts'
import { openServingHouse } from './serving-house.ts'

const MANNER = { timeoutMs: 60_000, priority: 1 }

function openAsking(known: number) {
  const { house, blobs, canaries, requests } = openServingHouse({ canaryBasisPoints: 10_000 })
  const bundles = Array.from({ length: known }, (_, i) => bundle('x', 64, i))
  const outputs = Buffer.from(blobs.putSync(bundle('y', 10, 0)), 'hex')
  canaries.add(
    bundles.map((bytes) => {
      const inputs = Buffer.from(blobs.putSync(bytes), 'hex')
      return { subnet: 'digits', model: 'mlp', inputs, outputs }
    }),
    0,
  )
  const models = openServedModels(house)
  const served = models.find('mlp', null)
  const statistics = openModelStatistics()
  const bugs: unknown[] = []
  const askBeside = openCanaryRequests(models, {
    statistics,
    holding: openHeldBytes(),
    onBug: (error) => bugs.push(error),
  })
  return {
    bundles,
    bugs,
    requests,
    ask: () => askBeside(served, MANNER),
    take: () => requests.take('ab'.repeat(32), 9, Number.MAX_SAFE_INTEGER),
    counts: () => {
      const { pending, success, fail } = statistics.of('mlp', served.version)
      return { open: requests.length, pending, answered: success.count, failed: fail.BACKEND.count }
    },
  }
}

function bundle(name: string, columns: number, value: number): Uint8Array {
  const data = new Uint8Array(new Float32Array(columns).fill(value).buffer)
  return encodeTensorBundle([{ name, datatype: 'FP32', shape: [1, columns], data }])
}

async function taken(take: () => PendingRequest[]): Promise<PendingRequest> {
  const found: PendingRequest[] = []
  await expect.poll(() => found.push(...take())).toBeGreaterThan(0)
  const [request] = found
  if (request === undefined) throw new Error('a request is there')
  return request
}

test('a canary waits in the queue in the manner of the request beside it, and counts as one', async () => {
  const { bundles, bugs, ask, take, counts } = openAsking(1)
  ask()
  const request = await taken(take)
  expect(request).toMatchObject({ items: 1, priority: 1, requester: 'anonymous' })
  expect(Buffer.from(request.inputs)).toEqual(Buffer.from(bundles[0] ?? []))
  expect(counts()).toEqual({ open: 1, pending: 1, answered: 0, failed: 0 })
  request.settle({ answer })
  await expect.poll(() => counts().pending).toBe(0)
  expect(counts()).toEqual({ open: 0, pending: 0, answered: 1, failed: 0 })
  expect(bugs).toEqual([])
})

test('two that are asked at once are two, and a third there is none', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  onTestFinished(() => void vi.useRealTimers())
  const { bundles, ask, take, counts } = openAsking(2)
  for (let i = 0; i < 3; i += 1) ask()
  vi.advanceTimersByTime(1_000)
  expect(counts().open).toBe(2)
  expect(take().map(({ inputs }) => Buffer.from(inputs))).toEqual(bundles.map((bytes) => Buffer.from(bytes)))
})

test('one that its worker lost is asked of nobody else: it is leased once', async () => {
  const { requests, bugs, ask, take, counts } = openAsking(1)
  ask()
  requests.lost(await taken(take), 'cd'.repeat(32), 'out of memory')
  await expect.poll(() => counts().pending).toBe(0)
  expect(counts()).toEqual({ open: 0, pending: 0, answered: 0, failed: 1 })
  expect(take()).toEqual([])
  expect(bugs).toEqual([])
})

test('it comes within the time that had passed since the request before', () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  onTestFinished(() => void vi.useRealTimers())
  const { ask, take } = openAsking(40)
  const delays = Array.from({ length: 40 }, () => {
    ask()
    const steps = Array.from({ length: 100 }, () => {
      vi.advanceTimersByTime(10)
      return take().length
    })
    return steps.indexOf(1)
  })
  expect(delays.every((delay) => delay >= 0)).toBe(true)
  expect(new Set(delays).size).toBeGreaterThan(10)
})

test('none is asked beside a request that nobody was leased, nor a second one where a lease is lost', async () => {
  const { house, canaries, requests } = openServingHouse({ canaryBasisPoints: 10_000 })
  const isDue = vi.spyOn(canaries, 'isDue')
  const { url } = await serveInfer(house)
  const inputs = [{ name: 'x', shape: [1, 64], datatype: 'FP32', data: Array(64).fill(0) }]
  const infer = (signal: AbortSignal | null) =>
    fetch(`${url}/models/mlp/infer`, { method: 'POST', body: JSON.stringify({ inputs }), signal })
  const leave = new AbortController()
  const left = infer(leave.signal)
  await expect.poll(() => requests.length).toBe(1)
  leave.abort()
  await expect(left).rejects.toThrow(/abort/i)
  await expect.poll(() => requests.length).toBe(0)
  expect(isDue).not.toHaveBeenCalled()

  const answered = infer(null)
  const lost = await taken(() => requests.take('ab'.repeat(32), 1, Number.MAX_SAFE_INTEGER))
  requests.putBack(lost)
  const request = await taken(() => requests.take('ab'.repeat(32), 1, Number.MAX_SAFE_INTEGER))
  expect(isDue).toHaveBeenCalledOnce()
  const outputs = bundle('y', 10, 0)
  request.settle({ answer: { ...answer, outputs } })
  expect((await answered).status).toBe(200)
})
