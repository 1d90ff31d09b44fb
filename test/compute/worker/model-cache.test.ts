import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openExchange } from '../../../compute/worker/exchange.ts'
import { createModelCache } from '../../../compute/worker/model-cache.ts'
import type { WorkerEvent } from '../../../compute/worker/worker-event.ts'
import { type HttpPeer, startHttpPeer } from './http-peer.ts'

const model = Buffer.alloc(30_000, 'weights')
const digest = createHash('sha256').update(model).digest('hex')
let folder: string
let peer: HttpPeer
let served: Uint8Array | number | 'cut'
let requests: (string | undefined)[]
const events: WorkerEvent[] = []

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'assay-models-'))
  served = model
  requests = []
  events.length = 0
  peer = await startHttpPeer((request, _body, response) => {
    requests.push(request.url)
    if (typeof served === 'number') response.writeHead(served).end()
    else if (served === 'cut') response.write(model.subarray(0, 1_000), () => request.socket.destroy())
    else response.end(served)
  })
})

afterEach(async () => {
  await peer.close()
  rmSync(folder, { recursive: true })
})

function open() {
  const { signal } = new AbortController()
  const exchange = openExchange({ url: peer.url, signer: null, signal, onRetry: () => {} })
  return createModelCache({
    exchange,
    folder: join(folder, 'models'),
    onEvent: (event) => events.push(event),
  })
}

describe('model cache', () => {
  test('fetches a model once, however many ask for it, and keeps it for the next process', async () => {
    const cache = open()
    const paths = await Promise.all([cache.path(digest), cache.path(digest)])
    expect(new Set(paths).size).toBe(1)
    expect(readFileSync(paths[0] ?? '')).toEqual(model)
    expect(await open().path(digest)).toBe(paths[0])
    expect(requests).toEqual([`/blobs/${digest}`])
    expect(events).toEqual([{ type: 'fetched', model: digest, bytes: model.length }])
    expect(readdirSync(join(folder, 'models'))).toEqual([digest])
  })

  test('fetches again what has changed on the disk', async () => {
    const path = await open().path(digest)
    writeFileSync(path, model.subarray(1))
    await open().path(digest)
    expect(readFileSync(path)).toEqual(model)
    expect(requests).toHaveLength(2)
  })

  test.each([
    ['other bytes', () => model.subarray(1), 'model_wrong_bytes'],
    ['404', () => 404, 'model_unavailable'],
    ['500', () => 500, 'model_unavailable'],
    ['half a file', () => 'cut' as const, 'model_unavailable'],
  ])('refuses %s, leaves no file, and tries again when asked again', async (_what, serve, code) => {
    const cache = open()
    served = serve()
    await expect(cache.path(digest)).rejects.toMatchObject({ name: 'ModelError', code })
    expect(readdirSync(join(folder, 'models'))).toEqual([])
    served = model
    expect(readFileSync(await cache.path(digest))).toEqual(model)
  })
})
