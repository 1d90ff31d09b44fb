import { once } from 'node:events'
import { request } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sha256 } from '../../../compute/work/tagged-hash.ts'
import { type RegtestNode, startBitcoind } from '../../../regtest/start-bitcoind.ts'
import { readPublicLog } from '../../../src/client/read-public-log.ts'
import { openSite, type Site } from '../coordinator/site.ts'
import { TINY_MODEL } from '../coordinator/tiny-market.ts'
import { expectRefused } from './refused.ts'

let node: RegtestNode
let site: Site
beforeAll(async () => {
  node = await startBitcoind()
  site = await openSite(node)
})
afterAll(async () => {
  await site[Symbol.asyncDispose]()
  await node.stop()
})

/** The path as it stands: fetch would resolve `..` before sending it. */
async function ask(path: string, method = 'GET', sent: Record<string, string> = {}): Promise<Response> {
  const { hostname, port } = new URL(site.url)
  const asking = request({ hostname, port, path, method, headers: sent })
  asking.end()
  const [answer] = await once(asking, 'response')
  const chunks: Buffer[] = []
  for await (const chunk of answer) chunks.push(chunk)
  const headers = new Headers()
  for (const [name, value] of Object.entries(answer.headers)) headers.set(name, String(value))
  return new Response(Buffer.concat(chunks), { status: answer.statusCode, headers })
}

describe('blobs', () => {
  test('are served by their hash, for ever', async () => {
    const name = Buffer.from(sha256(TINY_MODEL)).toString('hex')
    const response = await ask(`/blobs/${name}`)
    expect(response.status).toBe(200)
    expect(response.headers.get('cache-control')).toContain('immutable')
    expect(response.headers.get('content-length')).toBe(`${TINY_MODEL.length}`)
    expect(new Uint8Array(await response.arrayBuffer())).toEqual(new Uint8Array(TINY_MODEL))
  })

  const last = TINY_MODEL.length - 1

  test.each([
    ['bytes=0-0', 0, 0],
    ['bytes=10-', 10, last],
    ['bytes=-5', last - 4, last],
    [`bytes=0-${last + 100}`, 0, last],
  ])('by one range: %s', async (range, start, end) => {
    const name = Buffer.from(sha256(TINY_MODEL)).toString('hex')
    const response = await ask(`/blobs/${name}`, 'GET', { range })
    expect(response.status).toBe(206)
    expect(response.headers.get('content-range')).toBe(`bytes ${start}-${end}/${TINY_MODEL.length}`)
    expect(response.headers.get('content-length')).toBe(`${end - start + 1}`)
    expect(new Uint8Array(await response.arrayBuffer())).toEqual(
      new Uint8Array(TINY_MODEL.slice(start, end + 1)),
    )
  })

  test.each(['bytes=0-1,3-4', 'bytes=x-', 'lines=0-1'])('whole for the range %s', async (range) => {
    const name = Buffer.from(sha256(TINY_MODEL)).toString('hex')
    const response = await ask(`/blobs/${name}`, 'GET', { range })
    expect(response.status).toBe(200)
    expect((await response.arrayBuffer()).byteLength).toBe(TINY_MODEL.length)
  })

  test('a range behind the end is refused', async () => {
    const name = Buffer.from(sha256(TINY_MODEL)).toString('hex')
    const range = { range: `bytes=${TINY_MODEL.length}-` }
    await expectRefused(site, () => ask(`/blobs/${name}`, 'GET', range), {
      status: 416,
      code: 'range_unsatisfiable',
    })
  })

  test.each([
    ['00'.repeat(32), 404, 'blob_unknown'],
    ['AB'.repeat(32), 404, 'blob_name_invalid'],
    ['abc', 404, 'blob_name_invalid'],
    ['..%2f..%2fassay.sqlite', 404, 'blob_name_invalid'],
    ['..', 404, 'blob_name_invalid'],
    ['%2e%2e', 404, 'blob_name_invalid'],
    ['..%5cassay.sqlite', 404, 'blob_name_invalid'],
    ['%00', 404, 'blob_name_invalid'],
    [`${'0'.repeat(64)}%00`, 404, 'blob_name_invalid'],
    ['../assay.sqlite', 404, 'not_found'],
    ['', 404, 'not_found'],
    ['%E0%A4%A', 400, 'request_malformed'],
  ])('/blobs/%s: %i %s', async (name, status, code) => {
    await expectRefused(site, () => ask(`/blobs/${name}`), { status, code })
  })
})

describe('the log', () => {
  test('is read whole by an outsider, to the signed head', async () => {
    const { books } = site.coordinator()
    const { checkpoint, entries } = await readPublicLog(site.url, books.log.verifierKey)
    expect(checkpoint.size).toBe(books.log.size())
    expect(entries).toHaveLength(books.log.size())
    expect(entries[0]).toMatchObject({ kind: 'genesis' })
  })

  test.each([
    // A full tile of a log that has not 256 entries; the same at other levels and places.
    ['tile/0/000', 404, 'out_of_range'],
    ['tile/0/001.p/1', 404, 'out_of_range'],
    ['tile/1/000.p/1', 404, 'out_of_range'],
    ['tile/63/000.p/1', 404, 'out_of_range'],
    ['tile/entries/000', 404, 'out_of_range'],
    ['tile/entries/000.p/255', 404, 'out_of_range'],
    ['tile/0/x999/x999/x999/x999/999', 404, 'out_of_range'],
    ['tile/0/000.p/0', 404, 'tile_path_malformed'],
    ['tile/0/000.p/256', 404, 'tile_path_malformed'],
    ['tile/0/000.p/01', 404, 'tile_path_malformed'],
    ['tile/00/000.p/1', 404, 'tile_path_malformed'],
    ['tile/64/000.p/1', 404, 'tile_path_malformed'],
    ['tile/-1/000', 404, 'tile_path_malformed'],
    ['tile/0/0', 404, 'tile_path_malformed'],
    ['tile/0/x000/000', 404, 'tile_path_malformed'],
    ['tile/0/../../../assay.sqlite', 404, 'tile_path_malformed'],
    ['tile/0/..%2f..%2fassay.sqlite', 404, 'tile_path_malformed'],
    ['tile/data/000', 404, 'tile_path_malformed'],
    ['tile/%E0%A4%A', 400, 'request_malformed'],
    ['tile', 404, 'not_found'],
    ['checkpoint/1', 404, 'not_found'],
    ['../assay.sqlite', 404, 'not_found'],
  ])('/log/%s: %i %s', async (path, status, code) => {
    await expectRefused(site, () => ask(`/log/${path}`), { status, code })
  })
})

describe('what is not there', () => {
  test.each([
    ['GET', '/v1/nothing'],
    ['POST', '/v1/status'],
    ['DELETE', '/v1/status'],
    ['PUT', '/v1/leases'],
    ['POST', '/log/checkpoint'],
    ['GET', '/v1/operator/blobs'],
    ['GET', '/assay.sqlite'],
    ['GET', '/../../etc/passwd'],
  ])('%s %s is refused', async (method, path) => {
    const expected = path.startsWith('/v1/operator')
      ? { status: 401, code: 'api_key_unknown' }
      : { status: 404, code: 'not_found' }
    await expectRefused(site, () => ask(path, method), expected)
  })

  test.each(['x', '1', '1.-1', '9007199254740993.0'])(
    'receipts after %s: cursor_malformed',
    async (after) => {
      await expectRefused(site, () => ask(`/v1/receipts?after=${after}`), {
        status: 400,
        code: 'cursor_malformed',
      })
    },
  )
})

describe('before the first seal is there', () => {
  test('all that needs the log says so, and nothing else is out of order', async () => {
    await using waiting = await openSite(node, { funded: false })
    await waiting.coordinator().kick()
    const get = (path: string) => fetch(new URL(path, waiting.url))
    for (const path of [
      '/v1/info',
      '/v1/receipts',
      '/v1/reconciliation',
      `/v1/receipts/${'00'.repeat(32)}/proof`,
    ]) {
      await expectRefused(waiting, () => get(path), { status: 503, code: 'not_open' })
    }
    expect((await get('/healthz')).status).toBe(200)
    expect((await get('/readyz')).status).toBe(503)
    expect(await (await get('/v1/status')).json()).toMatchObject({
      anchorAddress: waiting.coordinator().anchorAddress,
      open: null,
    })
    expect((await fetch(new URL('/readyz', site.url))).status).toBe(200)
  })
})
