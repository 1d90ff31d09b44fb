import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { encodeCbor } from '../../../compute/work/canonical-cbor.ts'
import { sha256 } from '../../../compute/work/tagged-hash.ts'
import { type RegtestNode, startBitcoind } from '../../../regtest/start-bitcoind.ts'
import { openRequester } from '../coordinator/paying-requester.ts'
import { openSite, type Site, TOKEN } from '../coordinator/site.ts'
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

function ask(path: string, options: { key?: string; method?: string; body?: unknown } = {}) {
  const { key = TOKEN, method = 'GET', body } = options
  return fetch(new URL(`/v1/operator/${path}`, site.url), {
    method,
    headers: { authorization: `Bearer ${key}` },
    ...(body === undefined ? {} : { body: new Uint8Array(encodeCbor(body)) }),
  })
}

async function give(role: string, name: string): Promise<string> {
  const response = await ask('keys', { method: 'POST', body: { role, name } })
  expect(response.status).toBe(201)
  return Object(await response.json()).apiKey
}

test("an operator's key does what the token does, and a revoked one nothing", async () => {
  const key = await give('operator', 'second')
  expect(key).toMatch(/^[0-9a-f]{64}$/)
  expect((await ask('anchor', { method: 'POST', key })).status).toBe(202)
  expect((await ask('keys/operator/second', { method: 'DELETE' })).status).toBe(204)
  await expectRefused(site, () => ask('anchor', { method: 'POST', key }), {
    status: 401,
    code: 'api_key_unknown',
  })
})

test('a read-only key reads what the operator reads, and changes nothing', async () => {
  const key = await give('read_only', 'grafana')
  expect((await ask('keys', { key })).status).toBe(200)
  expect((await ask('payouts/plan', { key })).status).toBe(200)
  for (const [method, path] of [
    ['POST', 'anchor'],
    ['POST', 'keys'],
    ['POST', 'payouts/stop'],
    ['DELETE', 'keys/read_only/grafana'],
  ] as const) {
    await expectRefused(site, () => ask(path, { method, key }), { status: 403, code: 'role_insufficient' })
  }
})

test("a requester's keys are its account's alone, and are given out anew by the operator", async () => {
  const requester = await openRequester(site, 'alice')
  const first = requester.authorization.slice('Bearer '.length)
  const denied = { status: 403, code: 'role_insufficient' }
  await expectRefused(site, () => ask('keys', { key: first }), denied)
  const operator = await give('operator', 'curious')
  const account = (key: string) =>
    fetch(new URL('/v1/requesters/alice', site.url), { headers: { authorization: `Bearer ${key}` } })
  await expectRefused(site, () => account(operator), denied)

  const again = () => ask('keys', { method: 'POST', body: { role: 'requester', name: 'alice' } })
  await expectRefused(site, again, { status: 409, code: 'key_exists' })
  expect((await ask('keys/requester/alice', { method: 'DELETE' })).status).toBe(204)
  await expectRefused(site, () => account(first), { status: 401, code: 'api_key_unknown' })
  const { apiKey } = Object(await (await again()).json())
  expect((await account(apiKey)).status).toBe(200)
})

test('only the hash of a key is kept, and no list shows it', async () => {
  const key = await give('read_only', 'hashed')
  const rows = site.coordinator().books.db.prepare("SELECT * FROM api_key WHERE name = 'hashed'").all()
  expect(rows).toMatchObject([{ role: 'read_only', key_hash: Buffer.from(sha256(Buffer.from(key, 'hex'))) }])
  const { keys } = Object(await (await ask('keys')).json())
  expect(keys).toContainEqual({ role: 'read_only', name: 'hashed', createdMs: expect.any(Number) })
  expect(JSON.stringify(keys)).not.toContain(key)
})

describe('a key is refused', () => {
  test.each([
    ['without a name', { role: 'operator', name: '' }, 400, 'key_name_invalid'],
    ['with markup for a name', { role: 'operator', name: '<b>' }, 400, 'key_name_invalid'],
    ['with a name of 65 letters', { role: 'operator', name: 'a'.repeat(65) }, 400, 'body_malformed'],
    ['of another role', { role: 'root', name: 'a' }, 400, 'body_malformed'],
    ['with a key too many', { role: 'operator', name: 'a', more: 1 }, 400, 'body_malformed'],
    ['for an account that nobody has', { role: 'requester', name: 'nobody' }, 404, 'requester_unknown'],
  ])('%s', async (_what, body, status, code) => {
    await expectRefused(site, () => ask('keys', { method: 'POST', body }), { status, code })
  })

  test.each(['keys/operator/absent', 'keys/root/absent', 'keys/operator/..%2f..'])(
    'DELETE %s: key_unknown',
    async (path) => {
      await expectRefused(site, () => ask(path, { method: 'DELETE' }), { status: 404, code: 'key_unknown' })
    },
  )
})
