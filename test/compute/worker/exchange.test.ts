import { afterEach, describe, expect, test } from 'vitest'
import { decodeCbor } from '../../../compute/work/canonical-cbor.ts'
import { checkRequest, parseRequestSignature } from '../../../compute/work/request-signature.ts'
import { newWorkerKey } from '../../../compute/work/worker-key.ts'
import type { CoordinatorError } from '../../../compute/worker/coordinator-error.ts'
import { openExchange } from '../../../compute/worker/exchange.ts'
import { type HttpPeer, startHttpPeer } from './http-peer.ts'

const ORIGIN = 'assay.example/log'
let peer: HttpPeer
const retries: CoordinatorError[] = []

function open(signal = new AbortController().signal) {
  retries.length = 0
  return openExchange({
    url: peer.url,
    signer: { origin: ORIGIN, secretKey: newWorkerKey() },
    signal,
    onRetry: (error) => retries.push(error),
  })
}

afterEach(() => peer.close())

describe('exchange', () => {
  test('posts CBOR, signed for its log, with path and query', async () => {
    let seen: unknown
    peer = await startHttpPeer((request, body, response) => {
      const signed = parseRequestSignature(request.headers.authorization ?? '')
      seen = {
        valid: checkRequest(
          { origin: ORIGIN, method: request.method ?? '', path: request.url ?? '', body },
          signed,
        ),
        type: request.headers['content-type'],
        value: decodeCbor(body, { maxBytes: 100 }),
      }
      response.end('fine')
    })
    expect(Buffer.from(await open().post('/v1/x?y=1', { max: 3 })).toString()).toBe('fine')
    expect(seen).toEqual({ valid: true, type: 'application/cbor', value: { max: 3 } })
  })

  test('signs anew for each attempt, and repeats what may pass: 503, 429 and lost connections', async () => {
    const nonces = new Set<string>()
    const failures = [503, 429, 0]
    peer = await startHttpPeer((request, _body, response) => {
      nonces.add(
        Buffer.from(parseRequestSignature(request.headers.authorization ?? '').nonce).toString('hex'),
      )
      const failure = failures.shift()
      if (failure === 0) throw new Error('cut the line')
      response.writeHead(failure ?? 200).end('fine')
    })
    await open().post('/v1/x', {})
    expect(nonces.size).toBe(4)
    expect(retries.map(({ code }) => code)).toEqual(['http_503', 'http_429', 'unreachable'])
  })

  test.each([400, 401, 404, 409, 413])('does not repeat a %i', async (status) => {
    peer = await startHttpPeer((_request, _body, response) => void response.writeHead(status).end('<html>'))
    await expect(open().post('/v1/x', {})).rejects.toMatchObject({
      name: 'CoordinatorError',
      code: `http_${status}`,
      status,
    })
    expect(retries).toEqual([])
  })

  test.each([
    [3, null],
    [4, 'request_expired'],
  ])('signs again when its signature was too old, %i times: %s', async (failures, code) => {
    const times: number[] = []
    peer = await startHttpPeer((request, _body, response) => {
      times.push(parseRequestSignature(request.headers.authorization ?? '').timeMs)
      if (times.length > failures) response.end('fine')
      else response.writeHead(401).end(JSON.stringify({ code: 'request_expired' }))
    })
    const posted = open().post('/v1/x', {})
    if (code === null) expect(Buffer.from(await posted).toString()).toBe('fine')
    else await expect(posted).rejects.toMatchObject({ code })
    expect(times).toHaveLength(4)
    expect(retries.map(({ code }) => code)).toEqual(Array(3).fill('request_expired'))
  })

  test('passes on a problem by its code, with its extensions', async () => {
    const problem = {
      type: 'about:blank',
      status: 409,
      code: 'sequence_mismatch',
      detail: 'why',
      nextSequence: 4,
    }
    peer = await startHttpPeer(
      (_request, _body, response) => void response.writeHead(409).end(JSON.stringify(problem)),
    )
    await expect(open().get('/v1/x')).rejects.toMatchObject({
      code: 'sequence_mismatch',
      message: 'sequence_mismatch: why',
      extensions: { nextSequence: 4 },
    })
  })

  test('refuses an answer above 64 MiB', async () => {
    peer = await startHttpPeer((_request, _body, response) => void response.end(Buffer.alloc((64 << 20) + 1)))
    await expect(open().get('/v1/x')).rejects.toMatchObject({ code: 'answer_too_large' })
  })

  test('does not follow redirects, which could lead a signed request elsewhere', async () => {
    const paths: string[] = []
    const halt = new AbortController()
    peer = await startHttpPeer((request, _body, response) => {
      paths.push(request.url ?? '')
      if (paths.length === 2) halt.abort(new Error('enough'))
      response.writeHead(302, { location: '/elsewhere' }).end()
    })
    await expect(open(halt.signal).get('/v1/x')).rejects.toThrow('enough')
    expect(paths).toEqual(['/v1/x', '/v1/x'])
  })

  test('ends a call in flight with the reason of its signal, and one that waits for its next attempt', async () => {
    const call = new AbortController()
    peer = await startHttpPeer(() => call.abort(new Error('stop')))
    await expect(open().get('/v1/x', { signal: call.signal })).rejects.toThrow('stop')
    const halt = new AbortController()
    const exchange = openExchange({
      url: 'http://127.0.0.1:1',
      signer: null,
      signal: halt.signal,
      onRetry: () => halt.abort(new Error('halt')),
    })
    await expect(exchange.get('/v1/x')).rejects.toThrow('halt')
  })
})
