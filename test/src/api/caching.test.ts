import { once } from 'node:events'
import { request } from 'node:http'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { encodeCbor } from '../../../compute/work/canonical-cbor.ts'
import { sha256 } from '../../../compute/work/tagged-hash.ts'
import { type RegtestNode, startBitcoind } from '../../../regtest/start-bitcoind.ts'
import { TILE_WIDTH, tilePath } from '../../../src/log/tile.ts'
import { openSite, type Site, TOKEN } from '../coordinator/site.ts'
import { TINY_MODEL } from '../coordinator/tiny-market.ts'

let node: RegtestNode
let site: Site
beforeAll(async () => {
  node = await startBitcoind()
  site = await openSite(node)
  const { db, log } = site.coordinator().books
  // No auditor reads this log: it only has to be long enough for a full tile.
  db.transaction(() => {
    while (log.size() <= TILE_WIDTH) log.append(Uint8Array.of(log.size() % 256))
  }).immediate()
})
afterAll(async () => {
  await site[Symbol.asyncDispose]()
  await node.stop()
})

/** As it comes over the wire: fetch would unpack it. */
async function ask(path: string, headers: Record<string, string> = {}, method = 'GET') {
  const asking = request(new URL(path, site.url), { headers, method })
  asking.end()
  const [answer] = await once(asking, 'response')
  const chunks: Buffer[] = []
  for await (const chunk of answer) chunks.push(chunk)
  return { status: answer.statusCode, headers: answer.headers, body: Buffer.concat(chunks) }
}

const BLOB = `/blobs/${Buffer.from(sha256(TINY_MODEL)).toString('hex')}`
const tile = (level: number | 'entries', n: number, width = TILE_WIDTH) =>
  `/log/${tilePath({ level, n, width })}`

describe('what a cache may keep', () => {
  test.each([
    ['a blob', BLOB, 'public, max-age=31536000, immutable'],
    ['a full tile', tile(0, 0), 'public, max-age=31536000, immutable'],
    ['a full bundle of entries', tile('entries', 0), 'public, max-age=31536000, immutable'],
    ['a partial tile', tile(0, 1, 1), 'public, max-age=60'],
    ['a partial bundle', tile('entries', 1, 1), 'public, max-age=60'],
    ['the checkpoint', '/log/checkpoint', 'no-cache'],
    ['a status', '/v1/subnets', 'no-cache'],
  ])('%s, and who has it is sent nothing', async (_what, path, cacheControl) => {
    const first = await ask(path)
    expect([first.status, first.headers['cache-control']]).toEqual([200, cacheControl])
    expect(first.headers.etag).toMatch(/^(W\/)?"[\w-]+"$/)
    const again = await ask(path, { 'if-none-match': first.headers.etag })
    expect([again.status, again.body.length]).toEqual([304, 0])
    expect(again.headers['cache-control']).toBe(cacheControl)
    const other = await ask(path, { 'if-none-match': '"another"' })
    expect([other.status, other.body.equals(first.body)]).toEqual([200, true])
  })

  test('a refusal is not kept', async () => {
    const refused = await ask(`/blobs/${'00'.repeat(32)}`)
    expect(refused.status).toBe(404)
    expect(refused.headers['cache-control']).toBeUndefined()
  })
})

describe('gzip', () => {
  test('packs JSON for who takes it, to the same bytes', async () => {
    const plain = await ask('/openapi.json')
    expect(plain.headers['content-encoding']).toBeUndefined()
    const packed = await ask('/openapi.json', { 'accept-encoding': 'gzip' })
    expect(packed.headers['content-encoding']).toBe('gzip')
    expect(packed.headers.vary).toBe('Accept-Encoding')
    expect(packed.body.length).toBeLessThan(plain.body.length / 3)
    expect(gunzipSync(packed.body).equals(plain.body)).toBe(true)
  })

  test('packs what Prometheus scrapes', async () => {
    const { headers } = await ask('/metrics', { 'accept-encoding': 'gzip' })
    expect(headers['content-encoding']).toBe('gzip')
  })

  test('leaves tiles as they are: hashes do not shrink', async () => {
    const { headers } = await ask(tile(0, 0), { 'accept-encoding': 'gzip' })
    expect(headers['content-encoding']).toBeUndefined()
  })
})

describe('pages of other origins', () => {
  const origin = { origin: 'https://elsewhere.example' }

  test.each([
    BLOB,
    '/log/checkpoint',
    '/v1/status',
    '/v1/receipts',
    '/v1/workers',
    '/openapi.json',
    '/v1/anchors/list',
  ])('may read %s', async (path) => {
    expect((await ask(path, origin)).headers['access-control-allow-origin']).toBe('*')
  })

  test.each([
    ['GET', '/v1/operator/keys'],
    ['GET', '/V1/Operator/keys'],
    ['GET', '/v1/operator/payouts/plan'],
    ['POST', '/v1/operator/anchor'],
    ['GET', '/v1/requesters/alice'],
    ['POST', '/v1/requesters'],
    ['POST', '/v1/workers'],
    ['POST', '/v1/leases'],
    ['GET', '/v2/models/identity'],
    ['GET', '/metrics'],
    ['OPTIONS', '/v1/operator/keys'],
    ['GET', '/v1/status/../operator/keys'],
  ])('may not %s %s', async (method, path) => {
    const { headers } = await ask(path, { ...origin, authorization: `Bearer ${TOKEN}` }, method)
    expect(headers['access-control-allow-origin']).toBeUndefined()
  })
})

test('keys are listed page by page', async () => {
  const authorization = `Bearer ${TOKEN}`
  const names = Array.from({ length: 101 }, (_, n) => `key-${`${n}`.padStart(3, '0')}`)
  for (const name of names) {
    const body = new Uint8Array(encodeCbor({ role: 'read_only', name }))
    await fetch(new URL('/v1/operator/keys', site.url), { method: 'POST', headers: { authorization }, body })
  }
  const page = async (after: string) => {
    const { body } = await ask(`/v1/operator/keys${after}`, { authorization })
    return JSON.parse(body.toString()).keys.map(({ name }: { name: string }) => name)
  }
  expect(await page('')).toEqual(names.slice(0, 100))
  expect(await page('?after=read_only.key-099')).toEqual(names.slice(100))
  expect(await page('?after=read_only.key-100')).toEqual([])
  const bad = await ask('/v1/operator/keys?after=x', { authorization })
  expect([bad.status, JSON.parse(bad.body.toString()).code]).toEqual([400, 'cursor_malformed'])
})
