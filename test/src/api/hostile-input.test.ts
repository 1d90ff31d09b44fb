import { once } from 'node:events'
import { connect } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { encodeCbor } from '../../../compute/work/canonical-cbor.ts'
import { type RegtestNode, startBitcoind } from '../../../regtest/start-bitcoind.ts'
import { MAX_BODY_BYTES } from '../../../src/api/cbor-body.ts'
import { OPERATIONS } from '../../../src/api/openapi/document.ts'
import { openRequester, type PayingRequester } from '../coordinator/paying-requester.ts'
import type { Peer } from '../coordinator/peer.ts'
import { openSite, type Site, TOKEN } from '../coordinator/site.ts'
import { expectRefused } from './refused.ts'

/** The server looks for slow ones every 30 s, and lets each have 10 s for its head. */
const SLOW_MS = 60_000

let node: RegtestNode
let site: Site
let worker: Peer
let requester: PayingRequester
beforeAll(async () => {
  node = await startBitcoind()
  site = await openSite(node)
  worker = await site.peer()
  requester = await openRequester(site, 'alice')
})
afterAll(async () => {
  await site[Symbol.asyncDispose]()
  await node.stop()
})

function send(path: string, method: string, headers: Record<string, string>, body?: Uint8Array | string) {
  return fetch(new URL(path, site.url), {
    method,
    headers,
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : new Uint8Array(body) }),
  })
}

const HOSTILE: [string, string][] = [
  ['markup', '<script>alert(1)</script>'],
  ['a path', '../../assay.sqlite'],
  ['SQL', "'; DROP TABLE worker; --"],
  ['nothing', ''],
  ['a NUL', 'a\0b'],
  ['a line break', 'a\nb'],
  ['a prototype', '__proto__'],
  ['letters turned around', '\u202egnp.exe'],
  ['one letter too many', 'a'.repeat(65)],
  ['ten thousand letters', 'a'.repeat(10_000)],
]

describe.each(HOSTILE)('%s for a name', (_what, name) => {
  test('opens no account', async () => {
    const body = JSON.stringify({ requester: name, refundAddress: requester.refundAddress })
    const code = name.length > 64 ? 'body_malformed' : 'requester_name_invalid'
    await expectRefused(site, () => send('/v1/requesters', 'POST', {}, body), { status: 400, code })
  })

  test('gets no key', async () => {
    const body = encodeCbor({ role: 'operator', name })
    const code = name.length > 64 ? 'body_malformed' : 'key_name_invalid'
    const headers = { authorization: `Bearer ${TOKEN}` }
    await expectRefused(site, () => send('/v1/operator/keys', 'POST', headers, body), { status: 400, code })
  })

  test('is no model, no blob, no tile and no worker', async () => {
    const text = encodeURIComponent(name)
    const model = await send(`/v2/models/${text}/ready`, 'GET', {})
    expect(model.status).toBe(404)
    const codes = {
      [`/blobs/${text}`]: name === '' ? 'not_found' : 'blob_name_invalid',
      [`/log/tile/0/${text}`]: 'tile_path_malformed',
      [`/v1/workers/${text}x`]: 'worker_unknown',
    }
    for (const [path, code] of Object.entries(codes)) {
      await expectRefused(site, () => send(path, 'GET', {}), { status: 404, code })
    }
  })
})

/** `/v2` answers in another form, and has its own tests. */
const OWNED = OPERATIONS.filter(
  ({ opener, path }) =>
    (!path.startsWith('/v2') && (opener === 'operator' || opener === 'worker')) ||
    path === '/v1/requesters/{name}',
)

describe.each(OWNED.map((operation) => ({ ...operation, what: `${operation.method} ${operation.path}` })))(
  '$what',
  ({ method, path, opener }) => {
    const filled = path.replace(/\{\w+\}/g, '1')
    const strangers: [string, Record<string, string>][] = [
      ['nobody', {}],
      ['a made-up key', { authorization: `Bearer ${'0'.repeat(64)}` }],
      ['an empty key', { authorization: 'Bearer ' }],
      ['a header of 8 kB', { authorization: 'x'.repeat(8_000) }],
    ]
    test.each(strangers)('%s is refused', async (_who, headers) => {
      await expectRefused(
        site,
        () => send(filled, method.toUpperCase(), headers),
        opener !== 'worker'
          ? { status: 401, code: 'api_key_unknown' }
          : headers.authorization === undefined
            ? { status: 401, code: 'authorization_missing' }
            : { status: 400, code: 'authorization_malformed' },
      )
    })

    if (opener !== 'operator') return
    test("a requester's key is refused", async () => {
      const headers = { authorization: requester.authorization }
      await expectRefused(site, () => send(filled, method.toUpperCase(), headers), {
        status: 403,
        code: 'role_insufficient',
      })
    })
  },
)

test('a request of a worker that is sent again is refused', async () => {
  const body = encodeCbor({ failures: [] })
  const header = worker.authorization('/v1/failures', body)
  expect((await worker.post('/v1/failures', body, header)).status).toBe(200)
  await expectRefused(site, () => worker.post('/v1/failures', body, header), {
    status: 401,
    code: 'request_replayed',
  })
})

describe('too much', () => {
  test.each(['/v1/requesters', '/v1/leases', '/v1/submissions'])(
    'at %s is refused by its length',
    async (path) => {
      const body = new Uint8Array(MAX_BODY_BYTES + 1)
      await expectRefused(site, () => send(path, 'POST', {}, body), { status: 413, code: 'body_too_large' })
    },
  )

  test('for an account is refused before it is parsed', async () => {
    const body = JSON.stringify({ requester: 'bob', refundAddress: requester.refundAddress }).padEnd(16_385)
    await expectRefused(site, () => send('/v1/requesters', 'POST', {}, body), {
      status: 413,
      code: 'body_too_large',
    })
  })

  test('that comes packed small is refused, too', async () => {
    const body = gzipSync(new Uint8Array(MAX_BODY_BYTES + 1))
    expect(body.length).toBeLessThan(100_000)
    const headers = { 'content-encoding': 'gzip' }
    await expectRefused(site, () => send('/v1/leases', 'POST', headers, body), {
      status: 413,
      code: 'body_too_large',
    })
  })
})

describe('who is slow', () => {
  // Side by side: each waits for a timeout of the server's.
  test.concurrent.each([
    ['with its head', 'GET /v1/status HTTP/1.1\r\nhost: x\r\n'],
    ['with saying anything', ''],
  ])(
    '%s is let go',
    async (_what, text) => {
      const before = { rows: site.everyRow(), troubles: site.troubles.length }
      const { hostname, port } = new URL(site.url)
      const socket = connect(Number(port), hostname)
      await once(socket, 'connect')
      socket.write(text)
      socket.resume()
      await once(socket, 'close')
      expect({ rows: site.everyRow(), troubles: site.troubles.length }).toEqual(before)
    },
    SLOW_MS,
  )
})

test('what is no HTTP is refused and changes nothing', async () => {
  const before = site.everyRow()
  const { hostname, port } = new URL(site.url)
  const socket = connect(Number(port), hostname)
  socket.write('\x16\x03\x01 hello\r\n\r\n')
  const [answer] = await once(socket, 'data')
  expect(String(answer)).toMatch(/^HTTP\/1\.1 400 /)
  socket.destroy()
  expect(site.everyRow()).toEqual(before)
})
