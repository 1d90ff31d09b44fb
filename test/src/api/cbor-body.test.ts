import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, test } from 'vitest'
import { encodeCbor } from '../../../compute/work/canonical-cbor.ts'
import { type RegtestNode, startBitcoind } from '../../../regtest/start-bitcoind.ts'
import { MAX_BODY_BYTES } from '../../../src/api/cbor-body.ts'
import type { Peer } from '../coordinator/peer.ts'
import { openSite, type Site } from '../coordinator/site.ts'
import { expectRefused } from './refused.ts'

const LEASE = { max: 1, waitMs: 0 }

let node: RegtestNode
let site: Site
let worker: Peer
beforeAll(async () => {
  node = await startBitcoind()
  site = await openSite(node)
  worker = await site.peer()
})
afterAll(async () => {
  await site[Symbol.asyncDispose]()
  await node.stop()
})

const whole = encodeCbor(LEASE)
const cases: { what: string; body: Uint8Array; code: string; path?: string; status?: number }[] = [
  { what: 'an empty body', body: new Uint8Array(), code: 'cbor_malformed' },
  { what: 'a truncated body', body: whole.slice(0, -1), code: 'cbor_malformed' },
  { what: 'bytes after the body', body: Buffer.concat([whole, Uint8Array.of(0)]), code: 'cbor_malformed' },
  { what: 'JSON', body: Buffer.from(JSON.stringify(LEASE)), code: 'cbor_malformed' },
  // {max: 1, waitMs: 0}, with 1 in two bytes: 18 01.
  {
    what: 'an integer that is not the shortest',
    body: Buffer.from('a2636d6178180166776169744d7300', 'hex'),
    code: 'cbor_not_canonical',
  },
  {
    what: 'keys out of order',
    body: Buffer.from('a266776169744d7300636d617801', 'hex'),
    code: 'cbor_not_canonical',
  },
  { what: 'an extra key', body: encodeCbor({ ...LEASE, more: 1 }), code: 'body_malformed' },
  { what: 'a missing key', body: encodeCbor({ max: 1 }), code: 'body_malformed' },
  { what: 'no map', body: encodeCbor([1, 0]), code: 'body_malformed' },
  { what: 'max 0', body: encodeCbor({ max: 0, waitMs: 0 }), code: 'body_malformed' },
  { what: 'max 257', body: encodeCbor({ max: 257, waitMs: 0 }), code: 'body_malformed' },
  { what: 'a wait beyond 30 s', body: encodeCbor({ max: 1, waitMs: 30_001 }), code: 'body_malformed' },
  {
    what: 'a job id of 31 bytes',
    path: '/v1/failures',
    body: encodeCbor({ failures: [{ job: new Uint8Array(31), reason: 'x' }] }),
    code: 'body_malformed',
  },
  {
    what: 'a reason of 501 characters',
    path: '/v1/failures',
    body: encodeCbor({ failures: [{ job: new Uint8Array(32), reason: 'x'.repeat(501) }] }),
    code: 'body_malformed',
  },
  {
    what: '257 failures',
    path: '/v1/failures',
    body: encodeCbor({
      failures: Array.from({ length: 257 }, () => ({ job: new Uint8Array(32), reason: 'x' })),
    }),
    code: 'body_malformed',
  },
  {
    what: 'a fourth round',
    path: '/v1/audits/reveals',
    body: encodeCbor({
      reveals: [{ outputs: null, receipt: new Uint8Array(32), round: 3, salt: new Uint8Array(32) }],
    }),
    code: 'body_malformed',
  },
  {
    what: 'no reveals at all',
    path: '/v1/audits/reveals',
    body: encodeCbor({ reveals: [] }),
    code: 'body_malformed',
  },
]
test.each(cases)('$what: $code', async ({ body, code, path = '/v1/leases', status = 400 }) => {
  await expectRefused(site, () => worker.post(path, body), { status, code })
})

test('one byte more than the limit is too large, whatever it holds', async () => {
  const body = new Uint8Array(MAX_BODY_BYTES + 1)
  await expectRefused(site, () => worker.post('/v1/results', body), { status: 413, code: 'body_too_large' })
})

test('a body that unpacks to more than the limit is too large', async () => {
  const body = gzipSync(new Uint8Array(MAX_BODY_BYTES + 1))
  const send = () =>
    fetch(new URL('/v1/results', site.url), {
      method: 'POST',
      headers: { 'content-encoding': 'gzip', authorization: worker.authorization('/v1/results', body) },
      body,
    })
  await expectRefused(site, send, { status: 413, code: 'body_too_large' })
})
