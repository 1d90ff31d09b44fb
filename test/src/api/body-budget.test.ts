import { EventEmitter, once } from 'node:events'
import { type ClientRequest, request } from 'node:http'
import { gzipSync } from 'node:zlib'
import express from 'express'
import { expect, onTestFinished, test } from 'vitest'
import { bodyBudget } from '../../../src/api/body-budget.ts'
import { MAX_BODY_BYTES } from '../../../src/api/cbor-body.ts'
import { listen } from '../../../src/api/listen.ts'
import { problemHandler } from '../../../src/api/problem.ts'

const SMALL_BYTES = 16 * 1024
const BUSY = { status: 429, code: 'busy' }

/** A server that says how long the bodies are that it has read, and counts those that it began. */
async function serve() {
  const begun: string[] = []
  /** What unpacks bodies. */
  const unpackers = new EventEmitter<{ begun: [NodeJS.EventEmitter] }>()
  const app = express()
  app.use((request, _response, next) => {
    const pipe = request.pipe.bind(request)
    request.pipe = (to, options) => {
      unpackers.emit('begun', to)
      return pipe(to, options)
    }
    next()
  })
  app.use(bodyBudget())
  app.use((request, _response, next) => {
    begun.push(request.path)
    next()
  })
  app.use('/unread', (_request, response) => void response.json({ status: 200 }))
  app.use(express.raw({ type: () => true, limit: MAX_BODY_BYTES }), (request, response) => {
    response.json({ status: 200, bytes: request.body?.length ?? 0 })
  })
  app.use(problemHandler(() => {}))
  const server = await listen(app, { host: '127.0.0.1', port: 0 })
  onTestFinished(() => server[Symbol.asyncDispose]())
  const { url } = server

  /** Says that it sends so much, and sends nothing. */
  async function stalled(headers: Record<string, string>): Promise<ClientRequest> {
    const before = begun.length
    const sending = request(url, { method: 'POST', headers }).on('error', () => {})
    onTestFinished(() => void sending.destroy())
    sending.flushHeaders()
    await expect.poll(() => begun.length).toBe(before + 1)
    return sending
  }

  async function post(body: Uint8Array | ReadableStream, headers = {}, path = '/'): Promise<unknown> {
    // A stream goes out in chunks, of a length that nobody is told.
    const init = { method: 'POST', body, headers, duplex: 'half' as const }
    return (await fetch(new URL(path, url), init)).json()
  }

  return { url, unpackers, stalled, post }
}

const WHOLE = { 'content-length': `${MAX_BODY_BYTES}` }
const CHUNKED = { 'transfer-encoding': 'chunked' }
const PACKED = { 'content-length': '20000', 'content-encoding': 'gzip' }

test.each([
  ['of the largest size', WHOLE],
  ['of unknown size', CHUNKED],
  ['packed', PACKED],
])(
  'with four bodies %s under way others are refused until one has ended, small ones aside',
  async (_what, headers) => {
    const { url, stalled, post } = await serve()
    const sending = [
      await stalled(headers),
      await stalled(headers),
      await stalled(headers),
      await stalled(headers),
    ]
    const body = new Uint8Array(SMALL_BYTES + 1)
    expect(await post(body)).toMatchObject(BUSY)
    expect(await post(new Blob([body]).stream())).toMatchObject(BUSY)
    expect(await post(gzipSync(body), { 'content-encoding': 'gzip' })).toMatchObject(BUSY)
    expect(await post(new Uint8Array(SMALL_BYTES))).toEqual({ status: 200, bytes: SMALL_BYTES })
    expect((await fetch(url)).status).toBe(200)
    sending[0]?.destroy()
    await expect.poll(() => post(body)).toEqual({ status: 200, bytes: body.length })
  },
)

test('what has been read, or answered unread, is under way no longer', async () => {
  const { post } = await serve()
  const body = new Uint8Array(MAX_BODY_BYTES / 2)
  for (let i = 0; i < 10; i += 1) {
    expect(await post(body)).toEqual({ status: 200, bytes: body.length })
    expect(await post(body, {}, '/unread')).toEqual({ status: 200 })
  }
})

test('a packed body that breaks off is unpacked no further', async () => {
  const { url, unpackers } = await serve()
  const body = gzipSync(new Uint8Array(MAX_BODY_BYTES))
  const headers = { 'content-encoding': 'gzip', 'content-length': body.length }
  const sending = request(url, { method: 'POST', headers }).on('error', () => {})
  const begun = once(unpackers, 'begun')
  sending.write(body.subarray(0, -1))
  const [unpacker] = await begun
  const closed = once(unpacker, 'close')
  sending.destroy()
  await closed
})
