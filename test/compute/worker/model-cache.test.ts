import { createHash } from 'node:crypto'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
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
let served: Uint8Array | number | 'cut' | 'ranges' | 'wrong range'
let requests: (string | undefined)[]
let ranges: (string | undefined)[]
const events: WorkerEvent[] = []

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'assay-models-'))
  served = model
  requests = []
  ranges = []
  events.length = 0
  peer = await startHttpPeer((request, _body, response) => {
    requests.push(request.url)
    const { range } = request.headers
    ranges.push(range)
    const start = Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0)
    if (typeof served === 'number') response.writeHead(served).end()
    else if (served === 'cut') response.write(model.subarray(0, 1_000), () => request.socket.destroy())
    else if (served === 'ranges' && start >= model.length) response.writeHead(416).end()
    else if (typeof served === 'string') {
      const from = served === 'ranges' ? start : start + 1
      const last = model.length - 1
      response.writeHead(206, { 'content-range': `bytes ${from}-${last}/${model.length}` })
      response.end(model.subarray(from))
    } else response.end(served)
  })
})

afterEach(async () => {
  await peer.close()
  rmSync(folder, { recursive: true })
})

function open(maxBytes = 2 ** 30) {
  const { signal } = new AbortController()
  const exchange = openExchange({ url: peer.url, signer: null, signal, onRetry: () => {} })
  const cache = createModelCache({
    exchange,
    folder: join(folder, 'models'),
    maxBytes,
    onEvent: (event) => events.push(event),
  })
  return { ...cache, path: (wanted: string): Promise<string> => cache.use(wanted, async (path) => path) }
}

const part = () => join(folder, 'models', `${digest}.part`)

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
  ])('refuses %s, leaves no file, and tries again when asked again', async (_what, serve, code) => {
    const cache = open()
    served = serve()
    await expect(cache.path(digest)).rejects.toMatchObject({ name: 'ModelError', code })
    expect(readdirSync(join(folder, 'models'))).toEqual([])
    served = model
    expect(readFileSync(await cache.path(digest))).toEqual(model)
  })

  /** What an earlier process had of the model when its line broke. */
  function leavePart(bytes: Uint8Array = model.subarray(0, 1_000)): void {
    mkdirSync(join(folder, 'models'), { recursive: true })
    writeFileSync(part(), bytes)
  }

  test('keeps what came before the line broke, and goes on there', async () => {
    served = 'cut'
    await expect(open().path(digest)).rejects.toMatchObject({ code: 'model_unavailable' })
    const held = readFileSync(part())
    expect(held).toEqual(model.subarray(0, held.length))
    leavePart()
    served = 'ranges'
    expect(readFileSync(await open().path(digest))).toEqual(model)
    expect(ranges).toEqual([undefined, 'bytes=1000-'])
    expect(events).toEqual([{ type: 'fetched', model: digest, bytes: model.length }])
    expect(readdirSync(join(folder, 'models'))).toEqual([digest])
  })

  test('begins anew where the server knows no ranges', async () => {
    leavePart()
    served = model
    expect(readFileSync(await open().path(digest))).toEqual(model)
  })

  test.each([
    ['bytes that are not those before it', Buffer.from('other'), 'ranges', 'model_wrong_bytes'],
    ['more than the whole', Buffer.alloc(40_000), 'ranges', 'model_unavailable'],
  ] as const)('a part that leads nowhere is given up: %s', async (_what, held, serve, code) => {
    leavePart(held)
    const cache = open()
    served = serve
    await expect(cache.path(digest)).rejects.toMatchObject({ code })
    expect(readdirSync(join(folder, 'models'))).toEqual([])
    served = 'ranges'
    expect(readFileSync(await cache.path(digest))).toEqual(model)
  })

  test('refuses a range that it has not asked for, and asks again', async () => {
    leavePart()
    served = 'wrong range'
    await expect(open().path(digest)).rejects.toMatchObject({ code: 'model_unavailable' })
    served = 'ranges'
    expect(readFileSync(await open().path(digest))).toEqual(model)
  })

  test('fetches again what somebody has taken away, once a use has met with it', async () => {
    const cache = open()
    rmSync(await cache.path(digest))
    await cache.path(digest)
    expect(readFileSync(await cache.path(digest))).toEqual(model)
    expect(requests).toHaveLength(2)
  })

  test('refuses a model above its budget', async () => {
    await expect(open(model.length - 1).path(digest)).rejects.toMatchObject({ code: 'model_too_large' })
    expect(readdirSync(join(folder, 'models'))).toEqual([])
    await open(model.length).path(digest)
  })

  test('lets what broken downloads have left go like models, when another one breaks', async () => {
    const parts = ['a', 'b', 'c'].map((letter) => `${letter.repeat(64)}.part`)
    mkdirSync(join(folder, 'models'))
    for (const [age, name] of parts.entries()) {
      writeFileSync(join(folder, 'models', name), model.subarray(0, 1_000))
      utimesSync(join(folder, 'models', name), age, age)
    }
    served = 404
    await expect(open(2_000).path(digest)).rejects.toMatchObject({ code: 'model_unavailable' })
    expect(readdirSync(join(folder, 'models')).toSorted()).toEqual(parts.slice(1))
  })

  test('makes room although a name in its folder has lost its file', async () => {
    mkdirSync(join(folder, 'models'))
    symlinkSync('gone', join(folder, 'models', 'taken-away.part'))
    expect(readFileSync(await open().path(digest))).toEqual(model)
  })

  test('lets those go that were unused for longest, and none that is in use', async () => {
    const files = ['a', 'b', 'c'].map((letter) => Buffer.alloc(10_000, letter))
    const names = files.map((file) => createHash('sha256').update(file).digest('hex'))
    const [a = '', b = '', c = ''] = names
    const cache = open(20_000)
    served = files[0] ?? 404
    const fetchOthers = async (path: string): Promise<void> => {
      utimesSync(path, 1, 1)
      served = files[1] ?? 404
      utimesSync(await cache.path(b), 2, 2)
      served = files[2] ?? 404
      await cache.path(c)
    }
    await cache.use(a, fetchOthers)
    expect(readdirSync(join(folder, 'models')).toSorted()).toEqual([a, c].toSorted())
    expect(events.at(-1)).toEqual({ type: 'evicted', model: b, bytes: 10_000 })
    served = files[1] ?? 404
    await cache.path(b)
    expect(readdirSync(join(folder, 'models')).toSorted()).toEqual([b, c].toSorted())
  })
})
