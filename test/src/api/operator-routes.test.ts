import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { node as op } from '../../../compute/onnx/graph-builder.ts'
import { encodeModel } from '../../../compute/onnx/model.ts'
import { encodeCbor } from '../../../compute/work/canonical-cbor.ts'
import { sha256 } from '../../../compute/work/tagged-hash.ts'
import { type RegtestNode, startBitcoind } from '../../../regtest/start-bitcoind.ts'
import { MAX_BODY_BYTES } from '../../../src/api/cbor-body.ts'
import { parseEntry } from '../../../src/log/entry.ts'
import { encodeDataset } from '../../../src/subnet/dataset.ts'
import { encodeDefinition, type SubnetDefinition } from '../../../src/subnet/definition.ts'
import { unary } from '../../compute/onnx/sample-models.ts'
import { openSite, type Site, TOKEN } from '../coordinator/site.ts'
import { TINY_MODEL, TINY_PROFILE, tinyInput } from '../coordinator/tiny-market.ts'
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

function post(path: string, body: Uint8Array, authorization: string | null = `Bearer ${TOKEN}`) {
  return fetch(new URL(`/v1/operator/${path}`, site.url), {
    method: 'POST',
    headers: authorization === null ? {} : { authorization },
    body: new Uint8Array(body),
  })
}

async function hold(bytes: Uint8Array): Promise<Uint8Array> {
  expect((await post('blobs', bytes)).status).toBe(201)
  return sha256(bytes)
}

describe.each(['blobs', 'subnets', 'auditors', 'canaries', 'anchor'])('POST /v1/operator/%s', (path) => {
  const cases: [string, string | null][] = [
    ['without a token', null],
    ['with an empty token', 'Bearer '],
    ['with another token', 'Bearer somebody else'],
    ['with a token that begins alike', `Bearer ${TOKEN} `.concat('x')],
    ['with the token in another scheme', `Basic ${TOKEN}`],
    ['with the bare token', TOKEN],
  ]
  test.each(cases)('%s is refused', async (_what, authorization) => {
    await expectRefused(site, () => post(path, Uint8Array.of(0x80), authorization), {
      status: 401,
      code: 'api_key_unknown',
    })
  })
})

test('a body above the limit is too large for the operator, too, and a stranger learns only of the key', async () => {
  const body = new Uint8Array(MAX_BODY_BYTES + 1)
  await expectRefused(site, () => post('blobs', body), { status: 413, code: 'body_too_large' })
  await expectRefused(site, () => post('blobs', body, null), {
    status: 401,
    code: 'api_key_unknown',
  })
})

describe('a subnet', () => {
  /** A definition whose blobs are all held, but for what `changes` says. */
  async function definition(
    file: Uint8Array = TINY_MODEL,
    changes: Partial<SubnetDefinition> = {},
  ): Promise<SubnetDefinition> {
    return {
      v: 1,
      name: 'second',
      auditFloor: { numerator: 1, denominator: 1 },
      dataset: null,
      effectiveEpoch: 0,
      objective: { name: 'throughput' },
      operatorBasisPoints: 0,
      price: 0n,
      privacy: 'public',
      weight: 1,
      models: [
        {
          name: 'another',
          bytes: file.length,
          digest: await hold(file),
          falseFailRate: { numerator: 3, denominator: 1_000 },
          license: { redistributable: true, source: 'made by the test', spdx: 'MIT' },
          profile: { comparison: 'exact', ...TINY_PROFILE },
          unitsPerItem: 1,
          version: 1,
        },
      ],
      ...changes,
    }
  }
  const dataset = async (items: readonly Uint8Array[], count = items.length) => {
    const digests: Uint8Array[] = []
    for (const item of items) digests.push(await hold(item))
    return { items: count, list: await hold(encodeDataset(digests)), perEpoch: 1 }
  }
  const inputs = (...values: number[]) => values.map(tinyInput)
  const textModel = Buffer.from('this is not a model, however long one looks at it')

  const cases: { what: string; body: () => Promise<Uint8Array>; code: string; status?: number }[] = [
    { what: 'of no bytes', body: async () => new Uint8Array(), code: 'subnet_malformed' },
    {
      what: 'with a key too many',
      body: async () => encodeCbor({ ...(await definition()), fee: 1 }),
      code: 'subnet_malformed',
    },
    {
      what: 'cut short',
      body: async () => encodeDefinition(await definition()).slice(0, -1),
      code: 'subnet_malformed',
    },
    {
      what: 'whose model is no ONNX',
      body: async () => encodeDefinition(await definition(textModel)),
      code: 'model_malformed',
    },
    {
      what: 'whose model is cut short',
      body: async () => encodeDefinition(await definition(TINY_MODEL.slice(0, -3))),
      code: 'model_malformed',
    },
    {
      what: 'whose model runs a loop',
      body: async () => {
        const { graph } = unary([op('Identity', ['x'], ['y'])], 'FP32', ['N', 2])
        if (graph === undefined) throw new Error('a model has a graph')
        const loop = unary([op('Loop', ['x'], ['y'], { body: { graph } })], 'FP32', ['N', 2])
        return encodeDefinition(await definition(encodeModel(loop)))
      },
      code: 'model_control_flow',
    },
    {
      what: 'whose model is not held',
      body: async () => {
        const { models, ...rest } = await definition()
        return encodeDefinition({
          ...rest,
          models: models.map((model) => ({ ...model, digest: new Uint8Array(32).fill(9) })),
        })
      },
      code: 'blob_missing',
      status: 409,
    },
    {
      what: 'that says another size of its model',
      body: async () => {
        const { models, ...rest } = await definition()
        return encodeDefinition({
          ...rest,
          models: models.map((model) => ({ ...model, bytes: model.bytes + 1 })),
        })
      },
      code: 'model_mismatch',
    },
    {
      what: 'whose dataset list is not held',
      body: async () =>
        encodeDefinition(
          await definition(TINY_MODEL, { dataset: { items: 1, list: new Uint8Array(32), perEpoch: 1 } }),
        ),
      code: 'blob_missing',
      status: 409,
    },
    {
      what: 'whose dataset list is no list',
      body: async () => {
        const list = await hold(encodeCbor({ not: 'a list' }))
        return encodeDefinition(await definition(TINY_MODEL, { dataset: { items: 1, list, perEpoch: 1 } }))
      },
      code: 'subnet_malformed',
    },
    {
      what: 'that counts its dataset wrong',
      body: async () =>
        encodeDefinition(await definition(TINY_MODEL, { dataset: await dataset(inputs(1, 2), 3) })),
      code: 'dataset_mismatch',
    },
    {
      what: 'with a dataset item that is not held',
      body: async () => {
        const list = await hold(encodeDataset([new Uint8Array(32).fill(7)]))
        return encodeDefinition(await definition(TINY_MODEL, { dataset: { items: 1, list, perEpoch: 1 } }))
      },
      code: 'blob_missing',
      status: 409,
    },
    {
      what: 'that puts other items in the place of those it has',
      body: async () =>
        encodeDefinition(
          await definition(TINY_MODEL, { name: 'tiny', dataset: await dataset(inputs(99, 98)) }),
        ),
      code: 'dataset_differs',
      status: 409,
    },
  ]
  test.each(cases)('$what: $code', async ({ body, code, status = 400 }) => {
    const bytes = await body()
    await expectRefused(site, () => post('subnets', bytes), { status, code })
  })

  test('may add items to those it has', async () => {
    const items = inputs(...Array.from({ length: 25 }, (_, item) => item + 1))
    const more = await definition(TINY_MODEL, { name: 'tiny', dataset: await dataset(items) })
    expect((await post('subnets', encodeDefinition(more))).status).toBe(201)
    const count = site.coordinator().books.db.prepare('SELECT count(*) FROM item').pluck()
    expect(count.get()).toBe(25n)
  })

  test('that is to hold for an epoch that has begun is refused', async () => {
    await site.mineTo(site.startHeight + 6)
    expect(site.status().epoch).toBe(1)
    for (const effectiveEpoch of [0, 1]) {
      const late = encodeDefinition(await definition(TINY_MODEL, { effectiveEpoch }))
      await expectRefused(site, () => post('subnets', late), { status: 409, code: 'subnet_in_the_past' })
    }
    const inTime = encodeDefinition(await definition(TINY_MODEL, { effectiveEpoch: 2 }))
    expect((await post('subnets', inTime)).status).toBe(201)
  })
})

test('an anchor that was asked for holds what was in the log then', async () => {
  await hold(Uint8Array.of(1))
  const response = await post('anchor', new Uint8Array())
  expect(response.status).toBe(202)
  const { size } = Object(await response.json())
  await site.mine(2)
  expect(site.anchored().sizeAt(site.coordinator().advancedTo() ?? 0)).toBeGreaterThanOrEqual(size)
})

describe('POST /v1/operator/auditors', () => {
  const decision = (changes: object) =>
    encodeCbor({ worker: site.keys.auditor.publicKey, status: 'admitted', reason: 'known', ...changes })

  test.each([
    ['a body of another form', () => Uint8Array.of(0xa0), 400, 'body_malformed'],
    ['no reason', () => decision({ reason: '' }), 400, 'body_malformed'],
    ['a reason too long', () => decision({ reason: 'x'.repeat(501) }), 400, 'body_malformed'],
    ['another status', () => decision({ status: 'suspended' }), 400, 'body_malformed'],
    ['a key that is not registered', () => decision({ worker: Buffer.alloc(32, 7) }), 404, 'worker_unknown'],
  ])('%s is refused', async (_what, body, status, code) => {
    await expectRefused(site, () => post('auditors', body()), { status, code })
  })

  test('admits and withdraws, each once, and never the auditor that genesis names', async () => {
    const operator = await site.auditor()
    const worker = await site.peer()
    const say = (status: string, key = worker.key) => post('auditors', decision({ worker: key, status }))
    const same = { status: 409, code: 'auditor_status_same' }
    await expectRefused(site, () => say('withdrawn'), same)
    const admitted = await say('admitted')
    expect(admitted.status).toBe(201)
    const { log } = site.coordinator().books
    expect(await admitted.json()).toEqual({ index: log.size() - 1 })
    expect(parseEntry(log.entry(log.size() - 1))).toEqual({
      v: 1,
      kind: 'status',
      subject: 'auditor',
      worker: new Uint8Array(worker.key),
      status: 'admitted',
      reason: 'known',
    })
    await expectRefused(site, () => say('admitted'), same)
    expect((await say('withdrawn')).status).toBe(201)
    await expectRefused(site, () => say('withdrawn'), same)
    await expectRefused(site, () => say('admitted', operator.key), {
      status: 409,
      code: 'auditor_of_genesis',
    })
  })
})
