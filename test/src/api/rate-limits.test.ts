import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { taprootAddress } from '../../../anchor/taproot-address.ts'
import { encodeCbor } from '../../../compute/work/canonical-cbor.ts'
import { newWorkerKey, publicKeyOf } from '../../../compute/work/worker-key.ts'
import { signRegistration } from '../../../compute/work/worker-registration.ts'
import { type RegtestNode, startBitcoind } from '../../../regtest/start-bitcoind.ts'
import { createPeer } from '../coordinator/peer.ts'
import { openSite, type Site, TOKEN } from '../coordinator/site.ts'

const READS = 4
const REQUESTS = 3
const REGISTRATIONS = 2

let node: RegtestNode
beforeAll(async () => {
  node = await startBitcoind()
})
afterAll(async () => {
  await node.stop()
})

/** Each from an address of its own, as the one proxy in front says. */
function openLimited({ funded = false, requests = REQUESTS } = {}): Promise<Site> {
  return openSite(node, {
    funded,
    flags: {
      'limits.readsPerMinute': `${READS}`,
      'limits.requestsPerMinute': `${requests}`,
      'limits.registrationsPerHour': `${REGISTRATIONS}`,
      'listen.proxies': '1',
    },
  })
}

describe('how often one may ask', () => {
  test('is bounded by address, for reads and for the rest apart, and said in headers that pages may read', async () => {
    await using site = await openLimited()
    const get = (path: string, from: string) =>
      fetch(new URL(path, site.url), { headers: { 'x-forwarded-for': from } })
    for (let left = READS - 1; left >= 0; left -= 1) {
      const { status, headers } = await get('/v1/status', '192.0.2.1')
      expect([status, headers.get('ratelimit-policy')]).toEqual([200, `${READS};w=60`])
      expect(headers.get('ratelimit')).toMatch(new RegExp(`^limit=${READS}, remaining=${left}, reset=\\d+$`))
      expect(headers.get('access-control-expose-headers')).toContain(
        'ratelimit, ratelimit-policy, retry-after',
      )
    }
    const refused = await get('/v1/status', '192.0.2.1')
    expect(refused.status).toBe(429)
    expect(refused.headers.get('content-type')).toBe('application/problem+json; charset=utf-8')
    expect(await refused.json()).toMatchObject({ code: 'rate_limited', status: 429 })
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(Number(refused.headers.get('retry-after'))).toBeLessThanOrEqual(60)

    expect((await get('/v1/status', '192.0.2.2')).status).toBe(200)
    // One that writes its own X-Forwarded-For is known by what the proxy adds.
    expect((await get('/v1/status', '203.0.113.9, 192.0.2.1')).status).toBe(429)
    expect((await get('/healthz', '192.0.2.1')).status).toBe(200)
    const oip = await get('/v2/models/x', '192.0.2.1')
    expect([oip.status, Object(await oip.json()).code]).toEqual([429, 'rate_limited'])

    const post = (from: string) =>
      fetch(new URL('/v1/leases', site.url), { method: 'POST', headers: { 'x-forwarded-for': from } })
    for (let n = 0; n < REQUESTS; n += 1) expect((await post('192.0.2.1')).status).toBe(503)
    expect((await post('192.0.2.1')).status).toBe(429)
  })

  test('is bounded apart for registrations, since keys are free; what is refused counts for none', async () => {
    await using site = await openLimited({ funded: true, requests: 100 })
    const register = (path: string, origin = site.origin) => {
      const secretKey = newWorkerKey()
      const address = taprootAddress(publicKeyOf(secretKey), 'regtest')
      return createPeer(site, secretKey).post(path, encodeCbor(signRegistration(address, origin, secretKey)))
    }
    for (let n = 0; n <= REGISTRATIONS; n += 1) {
      expect((await register('/v1/workers', 'other.example/log')).status).toBe(400)
    }
    for (let n = 0; n < REGISTRATIONS; n += 1) expect((await register('/v1/workers')).status).toBe(201)
    for (const path of ['/v1/workers', '/V1/Workers/']) {
      const refused = await register(path)
      expect([refused.status, Object(await refused.json()).code]).toEqual([429, 'rate_limited'])
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(60)
      expect(refused.headers.get('ratelimit-policy')).toBe(`${REGISTRATIONS};w=3600`)
    }
    expect((await createPeer(site).post('/v1/leases', encodeCbor({ max: 1, waitMs: 0 }))).status).toBe(404)
  })

  test('is bounded by API key where there is one, and a made-up key has no budget of its own', async () => {
    await using site = await openLimited()
    const keys = new URL('/v1/operator/keys', site.url)
    const given = await fetch(keys, {
      method: 'POST',
      headers: { authorization: `Bearer ${TOKEN}` },
      body: new Uint8Array(encodeCbor({ role: 'read_only', name: 'grafana' })),
    })
    const { apiKey } = Object(await given.json())
    const read = (key: string, from: string) =>
      fetch(keys, { headers: { authorization: `Bearer ${key}`, 'x-forwarded-for': from } })
    for (let n = 0; n < READS; n += 1) expect((await read(apiKey, `192.0.2.${n}`)).status).toBe(200)
    expect((await read(apiKey, '192.0.2.99')).status).toBe(429)
    for (let n = 0; n < READS; n += 1) expect((await read(`${n}`.repeat(64), '192.0.2.100')).status).toBe(401)
    expect((await read('f'.repeat(64), '192.0.2.100')).status).toBe(429)
  })
})
