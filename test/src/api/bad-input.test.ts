import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type RegtestNode, startBitcoind } from '../../../regtest/start-bitcoind.ts'
import { openWorkingSite } from './working-site.ts'

let node: RegtestNode
let working: Awaited<ReturnType<typeof openWorkingSite>>
beforeAll(async () => {
  node = await startBitcoind()
  working = await openWorkingSite(node)
  await expectUnharmed()
})
afterAll(async () => {
  await working[Symbol.asyncDispose]()
  await node.stop()
})

const x = { name: 'x', shape: [1, 2], datatype: 'FP32', data: [1.5, -2] }
const binary = { ...x, data: undefined, parameters: { binary_data_size: 8 } }

function post(body: Uint8Array | string, headers: Record<string, string> = {}, model = 'identity') {
  const url = new URL(`/v2/models/${model}/infer`, working.site.url)
  return fetch(url, { method: 'POST', body: new Uint8Array(Buffer.from(body)), headers })
}

function message(head: unknown, tail: Uint8Array = new Uint8Array()): [Uint8Array, Record<string, string>] {
  const json = Buffer.from(JSON.stringify(head))
  return [Buffer.concat([json, tail]), { 'inference-header-content-length': `${json.length}` }]
}

/** The worker answers as ever, in the process that it began with. */
async function expectUnharmed(): Promise<void> {
  const answer = await post(JSON.stringify({ inputs: [x] }))
  expect(await answer.json()).toMatchObject({ outputs: [{ name: 'y', shape: [1, 2], data: [1.5, -2] }] })
  const harmed = working.events.filter(({ type }) => type === 'failed' || type === 'refused')
  expect(harmed).toEqual([])
  expect(working.events.filter(({ type }) => type === 'started')).toHaveLength(1)
  expect(working.site.troubles).toEqual([])
}

const json = (head: unknown): [string, Record<string, string>] => [JSON.stringify(head), {}]
const of = (change: object) => json({ inputs: [{ ...x, ...change }] })

test.each<[string, number, string, readonly [Uint8Array | string, Record<string, string>], string?]>([
  ['an unknown model', 404, 'model_unknown', of({}), 'nope'],
  ['an unknown version', 404, 'version_unknown', of({}), 'identity/versions/2'],
  ['a version of zero', 404, 'version_unknown', of({}), 'identity/versions/0'],
  ['nothing', 400, 'request_malformed', ['', {}]],
  ['no JSON', 400, 'request_malformed', ['{"inputs":', {}]],
  ['JSON that is nested without end', 400, 'request_malformed', ['['.repeat(100_000), {}]],
  ['no object', 400, 'request_malformed', ['[]', {}]],
  ['no inputs', 400, 'input_missing', json({ inputs: [] })],
  ['another name', 400, 'input_unknown', of({ name: '__proto__' })],
  ['an input twice', 400, 'input_repeated', json({ inputs: [x, x] })],
  ['another datatype', 400, 'datatype_mismatch', of({ datatype: 'INT64' })],
  ['an unknown datatype', 400, 'datatype_mismatch', of({ datatype: 'FP8' })],
  ['a rank too few', 400, 'shape_mismatch', of({ shape: [2] })],
  ['a rank too many', 400, 'shape_mismatch', of({ shape: [1, 1, 2] })],
  ['another width', 400, 'shape_mismatch', of({ shape: [2, 1] })],
  ['no rows', 400, 'batch_empty', of({ shape: [0, 2], data: [] })],
  ['a negative dimension', 400, 'request_malformed', of({ shape: [-1, 2] })],
  ['a dimension that is no integer', 400, 'request_malformed', of({ shape: [0.5, 2] })],
  ['a huge dimension', 400, 'tensor_too_large', of({ shape: [2 ** 50, 2] })],
  [
    'a dimension beyond 2^53',
    400,
    'request_malformed',
    ['{"inputs":[{"name":"x","shape":[1e300,2],"datatype":"FP32","data":[]}]}', {}],
  ],
  ['too few elements', 400, 'data_length_mismatch', of({ data: [1] })],
  ['text for a number', 400, 'value_invalid', of({ data: ['1', 2] })],
  ['null for a number', 400, 'value_invalid', of({ data: [null, 2] })],
  ['a number that no float holds', 400, 'value_invalid', of({ data: [1e39, 2] })],
  ['neither data nor bytes', 400, 'data_missing', of({ data: undefined })],
  ['shared memory', 400, 'parameter_unsupported', of({ parameters: { shared_memory_region: 'r' } })],
  [
    'classification',
    400,
    'parameter_unsupported',
    json({ inputs: [x], outputs: [{ name: 'y', parameters: { classification: 3 } }] }),
  ],
  ['an unknown output', 400, 'output_unknown', json({ inputs: [x], outputs: [{ name: 'z' }] })],
  ['a cut binary part', 400, 'binary_length_mismatch', message({ inputs: [binary] }, new Uint8Array(7))],
  [
    'a binary part that is too long',
    400,
    'binary_length_mismatch',
    message({ inputs: [binary] }, new Uint8Array(9)),
  ],
  [
    'binary lengths that do not add up',
    400,
    'data_length_mismatch',
    message({ inputs: [{ ...binary, parameters: { binary_data_size: 4 } }] }, new Uint8Array(4)),
  ],
  [
    'a negative binary length',
    400,
    'request_malformed',
    message({ inputs: [{ ...binary, parameters: { binary_data_size: -8 } }] }),
  ],
  [
    'a head that ends beyond the body',
    400,
    'header_length_invalid',
    [JSON.stringify({ inputs: [x] }), { 'inference-header-content-length': '9999' }],
  ],
  [
    'a head of negative length',
    400,
    'header_length_invalid',
    [JSON.stringify({ inputs: [x] }), { 'inference-header-content-length': '-1' }],
  ],
  [
    'a decompression bomb',
    413,
    'body_too_large',
    [gzipSync(Buffer.alloc(65 * 1024 * 1024)), { 'content-encoding': 'gzip' }],
  ],
  [
    'broken gzip',
    400,
    'request_malformed',
    [gzipSync('{"inputs":[]}').subarray(0, 20), { 'content-encoding': 'gzip' }],
  ],
  ['an unknown encoding', 415, 'request_malformed', ['{}', { 'content-encoding': 'zip' }]],
])('%s is refused, and the worker goes on', async (_, status, code, [body, headers], model = 'identity') => {
  const response = await post(body, headers, model)
  expect({ status: response.status, ...Object(await response.json()) }).toEqual({
    status,
    code,
    error: expect.stringMatching(/./),
  })
  await expectUnharmed()
})

test('whatever bytes are changed in a request, it is answered or refused as the requester’s fault', async () => {
  const [body, headers] = message({ id: 'a', inputs: [binary] }, new Uint8Array(Float32Array.of(1, 2).buffer))
  const change = fc.record({ at: fc.nat(body.length - 1), byte: fc.nat(255) })
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), fc.nat(20), async (changes, cut) => {
      const changed = Uint8Array.from(body)
      for (const { at, byte } of changes) changed[at] = byte
      const response = await post(changed.subarray(0, changed.length - Math.max(0, cut - 10)), headers)
      expect([200, 400]).toContain(response.status)
      if (response.status === 400) expect(Object(await response.json()).code).toMatch(/^[a-z_]+$/)
      else await response.bytes()
    }),
    { numRuns: 200 },
  )
  await expectUnharmed()
})
