import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { taprootAddress } from '../../../anchor/taproot-address.ts'
import { encodeCbor } from '../../../compute/work/canonical-cbor.ts'
import { newWorkerKey, publicKeyOf } from '../../../compute/work/worker-key.ts'
import { signRegistration } from '../../../compute/work/worker-registration.ts'
import { type RegtestNode, startBitcoind } from '../../../regtest/start-bitcoind.ts'
import { createPeer, type LeasedJob, type Peer } from '../coordinator/peer.ts'
import { openSite, type Site } from '../coordinator/site.ts'
import { cheatedOutput, tinyOutput } from '../coordinator/tiny-market.ts'
import { expectRefused } from './refused.ts'

const LEASE = { max: 1, waitMs: 0 }

let node: RegtestNode
let site: Site
let worker: Peer
let other: Peer
let leased: LeasedJob
beforeAll(async () => {
  node = await startBitcoind()
  site = await openSite(node)
  const [first, second] = await site.begin(2)
  const [job] = (await first?.lease(1)) ?? []
  if (first === undefined || second === undefined || job === undefined) throw new Error('nothing leased')
  worker = first
  other = second
  leased = job
})
afterAll(async () => {
  await site[Symbol.asyncDispose]()
  await node.stop()
})

describe('who asks', () => {
  const body = encodeCbor(LEASE)
  const path = '/v1/leases'
  const cases: { what: string; header: () => string | null; code: string; status?: number }[] = [
    { what: 'no authorization', header: () => null, code: 'authorization_missing', status: 401 },
    { what: 'another scheme', header: () => 'Bearer abc', code: 'authorization_malformed', status: 400 },
    {
      what: 'a header cut short',
      header: () => worker.authorization(path, body).slice(0, -1),
      code: 'authorization_malformed',
      status: 400,
    },
    {
      what: 'a time too long ago',
      header: () => worker.authorization(path, body, Date.now() - 61_000),
      code: 'request_expired',
    },
    {
      what: 'a time too far ahead',
      header: () => worker.authorization(path, body, Date.now() + 62_000),
      code: 'request_expired',
    },
    {
      what: 'a signature over another path',
      header: () => worker.authorization('/v1/results', body),
      code: 'signature_invalid',
    },
    {
      what: 'a signature over another body',
      header: () => worker.authorization(path, encodeCbor({ max: 2, waitMs: 0 })),
      code: 'signature_invalid',
    },
    {
      what: "another's key before the signature",
      header: () => worker.authorization(path, body).replace(worker.hex, other.hex),
      code: 'signature_invalid',
    },
  ]
  test.each(cases)('$what is refused: $code', async ({ header, code, status = 401 }) => {
    await expectRefused(site, () => worker.post(path, body, header()), { status, code })
  })

  test('a request that is sent again is refused', async () => {
    const body = encodeCbor({ failures: [] })
    const header = worker.authorization('/v1/failures', body)
    expect((await worker.post('/v1/failures', body, header)).status).toBe(200)
    await expectRefused(site, () => worker.post('/v1/failures', body, header), {
      status: 401,
      code: 'request_replayed',
    })
  })

  test.each([
    '/v1/leases',
    '/v1/results',
    '/v1/failures',
    '/v1/submissions',
    '/v1/audits/leases',
    '/v1/audits/commitments',
    '/v1/audits/reveals',
  ])('%s answers registered keys alone, each with its signature', async (route) => {
    const stranger = createPeer(site)
    await expectRefused(site, () => stranger.post(route, body), { status: 404, code: 'worker_unknown' })
    await expectRefused(site, () => worker.post(route, body, null), {
      status: 401,
      code: 'authorization_missing',
    })
  })
})

describe('registration', () => {
  const secretKey = newWorkerKey()
  const address = taprootAddress(publicKeyOf(newWorkerKey()), 'regtest')
  const stranger = () => createPeer(site, secretKey)
  const cases: { what: string; body: () => unknown; code: string; status?: number }[] = [
    {
      what: 'no address at all',
      body: () => signRegistration('satoshi', site.origin, secretKey),
      code: 'address_invalid',
    },
    {
      what: 'an empty address',
      body: () => signRegistration('', site.origin, secretKey),
      code: 'address_invalid',
    },
    {
      what: 'an address with a typing error',
      body: () =>
        signRegistration(address.slice(0, -1) + (address.endsWith('q') ? 'p' : 'q'), site.origin, secretKey),
      code: 'address_invalid',
    },
    {
      what: 'an address of mainnet',
      body: () =>
        signRegistration(taprootAddress(publicKeyOf(newWorkerKey()), 'mainnet'), site.origin, secretKey),
      code: 'address_wrong_network',
    },
    {
      what: 'an address of signet',
      body: () =>
        signRegistration(taprootAddress(publicKeyOf(newWorkerKey()), 'signet'), site.origin, secretKey),
      code: 'address_wrong_network',
    },
    {
      what: "the treasury's address",
      body: () => signRegistration(site.coordinator().treasuryAddress, site.origin, secretKey),
      code: 'address_reserved',
    },
    {
      what: "the anchors' address, in capitals",
      body: () => signRegistration(site.coordinator().anchorAddress.toUpperCase(), site.origin, secretKey),
      code: 'address_reserved',
    },
    {
      what: 'an address of 91 characters',
      body: () => ({ ...signRegistration(address, site.origin, secretKey), address: 'b'.repeat(91) }),
      code: 'body_malformed',
    },
    {
      what: "a signature for another log's origin",
      body: () => signRegistration(address, 'other.example/log', secretKey),
      code: 'signature_invalid',
    },
    {
      what: 'a signature over another address',
      body: () => ({ ...signRegistration(worker.address, site.origin, secretKey), address }),
      code: 'signature_invalid',
    },
    {
      what: "somebody else's registration",
      body: () => signRegistration(address, site.origin, newWorkerKey()),
      code: 'worker_mismatch',
      status: 403,
    },
  ]
  test.each(cases)('$what: $code', async ({ body, code, status = 400 }) => {
    await expectRefused(site, () => stranger().post('/v1/workers', encodeCbor(body())), { status, code })
  })

  test('the same key with another address or threshold is refused; with the same one it is told its index again', async () => {
    const again = encodeCbor(signRegistration(address, site.origin, worker.secretKey))
    await expectRefused(site, () => worker.post('/v1/workers', again), {
      status: 409,
      code: 'address_differs',
    })
    const dearer = encodeCbor(signRegistration(worker.address, site.origin, worker.secretKey, 2_000n))
    await expectRefused(site, () => worker.post('/v1/workers', dearer), {
      status: 409,
      code: 'address_differs',
      detail: expect.stringContaining(`${worker.address} and a threshold of 0 sat`),
    })

    const before = site.everyRow()
    const same = encodeCbor(signRegistration(worker.address, site.origin, worker.secretKey))
    const response = await worker.post('/v1/workers', same)
    expect(response.status).toBe(200)
    const { index } = Object(await response.json())
    expect(site.house().desks.registry.find(worker.key)?.entryIndex).toBe(index)
    expect(site.everyRow()).toEqual(before)
  })

  test.each([
    ['a key that nobody registered', '00'.repeat(32)],
    ['a key in capitals', 'AB'.repeat(32)],
    ['no key', 'me'],
    ['a path', '..%2f..%2fetc%2fpasswd'],
  ])('%s is unknown', async (_what, key) => {
    await expectRefused(site, () => fetch(new URL(`/v1/workers/${key}`, site.url)), {
      status: 404,
      code: 'worker_unknown',
    })
  })
})

describe('results', () => {
  const send = async (peer: Peer, results: unknown) => Object(await peer.call('/v1/results', { results }))
  const cases: { what: string; code: string; result: () => unknown }[] = [
    {
      what: 'a job that nobody leased',
      code: 'job_unknown',
      result: () => worker.answerWith(leased.job, { job: randomBytes(32) }, tinyOutput(leased.inputs)),
    },
    {
      what: 'another salt',
      code: 'output_mismatch',
      result: () => ({ ...worker.answer(leased, 0), salt: randomBytes(32) }),
    },
    {
      what: 'other outputs',
      code: 'output_mismatch',
      result: () => ({ ...worker.answer(leased, 0), outputs: cheatedOutput() }),
    },
    {
      what: 'outputs that are no tensor bundle',
      code: 'tensor_malformed',
      result: () => worker.answerWith(leased.job, {}, Uint8Array.of(1, 2, 3)),
    },
    {
      what: 'a receipt cut short',
      code: 'receipt_malformed',
      result: () => {
        const work = worker.answer(leased, 0)
        return { ...work, receipt: work.receipt.slice(0, -1) }
      },
    },
    {
      what: 'a receipt with a key too many',
      code: 'receipt_malformed',
      result: () => ({ ...worker.answer(leased, 0), receipt: encodeCbor({ v: 1, tip: 1 }) }),
    },
  ]
  test.each(cases)('$what: $code, and nothing is held', async ({ code, result }) => {
    const before = site.everyRow()
    expect(await send(worker, [result()])).toMatchObject({ accepted: 0, refused: [{ code }] })
    expect(site.everyRow()).toEqual(before)
  })

  test("another worker's job is unknown to this one", async () => {
    const before = site.everyRow()
    const stolen = other.answer(leased, 0)
    expect(await send(other, [stolen])).toMatchObject({ accepted: 0, refused: [{ code: 'job_unknown' }] })
    expect(site.everyRow()).toEqual(before)
  })

  test('a refused result does not take the others down with it, and the same one twice changes nothing', async () => {
    const good = worker.answer(leased, 0)
    const bad = { ...worker.answer(leased, 0), salt: randomBytes(32) }
    expect(await send(worker, [bad, good])).toMatchObject({
      accepted: 1,
      refused: [{ code: 'output_mismatch' }],
    })
    const before = site.everyRow()
    expect(await send(worker, [good])).toEqual({ accepted: 1, answeredMs: expect.any(Number), refused: [] })
    expect(site.everyRow()).toEqual(before)
  })
})
