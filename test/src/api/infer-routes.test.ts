import { gzipSync } from 'node:zlib'
import { describe, expect, test, vi } from 'vitest'
import type { Tensor } from '../../../compute/work/tensor-bundle.ts'
import { encodeTensorBundle, parseTensorBundle } from '../../../compute/work/tensor-bundle.ts'
import { serveInfer } from './serve-infer.ts'
import { JUDGED, openServingHouse, START_HEIGHT } from './serving-house.ts'

const MIB = 1024 * 1024
const x = { name: 'x', shape: [2, 64], datatype: 'FP32', data: Array(128).fill(0.5) }
const y: Tensor = {
  name: 'y',
  datatype: 'FP32',
  shape: [2, 10],
  data: new Uint8Array(Float32Array.from({ length: 20 }, (_, at) => at / 4).buffer),
}
const receiptId = new Uint8Array(32).fill(0xab)
const receiptHex = 'ab'.repeat(32)
const answer = { outputs: encodeTensorBundle([y]), receiptId }

function post(
  url: string,
  body: NonNullable<RequestInit['body']>,
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(url, { method: 'POST', body, headers })
}

async function outcome(response: Response): Promise<{ status: number; json: unknown }> {
  return { status: response.status, json: await response.json() }
}

const refusal = (status: number, code: string) => ({
  status,
  json: { code, error: expect.stringMatching(/./) },
})

describe('the server', () => {
  test('says what it is and that it takes binary tensors', async () => {
    const { url } = await serveInfer(openServingHouse().house)
    expect(await outcome(await fetch(url))).toEqual({
      status: 200,
      json: {
        name: 'assay',
        version: expect.stringMatching(/^\d+\.\d+\.\d+/),
        extensions: ['binary_tensor_data', 'model_repository', 'schedule_policy', 'statistics'],
      },
    })
  })

  test('is live and ready', async () => {
    const { url } = await serveInfer(openServingHouse().house)
    expect(await outcome(await fetch(`${url}/health/live`))).toEqual({ status: 200, json: { live: true } })
    expect(await outcome(await fetch(`${url}/health/ready`))).toEqual({ status: 200, json: { ready: true } })
  })

  test.each(['', '/versions/3'])('describes a model at …%s', async (version) => {
    const { url } = await serveInfer(openServingHouse().house)
    expect(await outcome(await fetch(`${url}/models/mlp${version}`))).toEqual({
      status: 200,
      json: {
        name: 'mlp',
        versions: ['3'],
        platform: 'onnxruntime_onnx',
        inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 64] }],
        outputs: [{ name: 'y', datatype: 'FP32', shape: [-1, 10] }],
      },
    })
    expect(await outcome(await fetch(`${url}/models/mlp${version}/ready`))).toEqual({
      status: 200,
      json: { name: 'mlp', ready: true },
    })
  })

  test('before the log is open is live alone', async () => {
    const { url } = await serveInfer({ ...openServingHouse().house, house: () => null })
    expect((await fetch(`${url}/health/live`)).status).toBe(200)
    for (const path of ['/health/ready', '/models/mlp', '/models/mlp/ready']) {
      expect(await outcome(await fetch(url + path))).toEqual(refusal(503, 'not_open'))
    }
    expect(await outcome(await post(`${url}/models/mlp/infer`, '{}'))).toEqual(refusal(503, 'not_open'))
  })

  test.each([null, START_HEIGHT - 2])(
    'before epoch 0, at height %s, describes its models and runs none',
    async (advancedTo) => {
      const { url } = await serveInfer(openServingHouse({ advancedTo }).house)
      expect((await fetch(`${url}/models/mlp`)).status).toBe(200)
      for (const path of ['/health/ready', '/models/mlp/ready']) {
        expect(await outcome(await fetch(url + path))).toEqual(refusal(503, 'epoch_not_started'))
      }
      expect(await outcome(await post(`${url}/models/mlp/infer`, '{}'))).toEqual(
        refusal(503, 'epoch_not_started'),
      )
    },
  )

  test.each([
    [{ ...JUDGED, inDoubt: true }, 'the chain has not been judged yet'],
    [
      {
        ...JUDGED,
        inDoubt: true,
        stalled: { code: 'deep_reorg' as const, detail: 'gone', advice: '', neededSats: null },
      },
      'deep_reorg: gone',
    ],
  ])('in doubt about the chain takes no request and is not ready', async (anchoring, reason) => {
    const { house, requests } = openServingHouse({ anchoring })
    const { url } = await serveInfer(house)
    expect((await fetch(`${url}/models/mlp`)).status).toBe(200)
    const halted = { status: 503, json: { code: 'log_halted', error: expect.stringContaining(reason) } }
    expect(await outcome(await fetch(`${url}/health/ready`))).toEqual(halted)
    expect(await outcome(await post(`${url}/models/mlp/infer`, '{}'))).toEqual(halted)
    expect(requests.length).toBe(0)
  })

  test('is ready when the next block is the first of epoch 0', async () => {
    const { url } = await serveInfer(openServingHouse({ advancedTo: START_HEIGHT - 1 }).house)
    expect((await fetch(`${url}/health/ready`)).status).toBe(200)
  })

  test.each([
    ['/models/nope', 'model_unknown'],
    ['/models/nope/ready', 'model_unknown'],
    ['/models/nope/versions/1', 'model_unknown'],
    ['/models/mlp/versions/2', 'version_unknown'],
    ['/models/mlp/versions/01/ready', 'version_unknown'],
    ['/models/mlp/infer', 'not_found'],
    ['/models', 'not_found'],
    ['/nope', 'not_found'],
  ])('knows nothing at GET %s: %s', async (path, code) => {
    const { url, bugs } = await serveInfer(openServingHouse().house)
    expect(await outcome(await fetch(url + path))).toEqual(refusal(404, code))
    expect(bugs).toEqual([])
  })

  test('says that a model is missing when its blob is', async () => {
    const { house } = openServingHouse()
    const { url } = await serveInfer({ ...house, books: { blobs: { get: () => null } } })
    expect(await outcome(await fetch(`${url}/models/mlp`))).toEqual(refusal(503, 'model_missing'))
  })

  test('reads a model once', async () => {
    const { house } = openServingHouse()
    const get = vi.spyOn(house.books.blobs, 'get')
    const { url } = await serveInfer(house)
    for (const path of ['/models/mlp', '/models/mlp/versions/3', '/models/mlp/ready']) await fetch(url + path)
    expect(get).toHaveBeenCalledTimes(1)
  })

  test('keeps a bug’s text for its operator', async () => {
    const bug = new Error('a secret')
    const { url, bugs } = await serveInfer({
      ...openServingHouse().house,
      house: () => {
        throw bug
      },
    })
    const { status, json } = await outcome(await fetch(`${url}/models/mlp`))
    expect({ status, json }).toEqual(refusal(500, 'internal'))
    expect(JSON.stringify(json)).not.toContain('secret')
    expect(bugs).toEqual([bug])
  })
})

describe('an inference', () => {
  test('in JSON is asked of a worker and answered with its receipt’s id', async () => {
    const { house, work } = openServingHouse()
    const { url } = await serveInfer(house)
    const before = Date.now()
    const [response, asked] = await Promise.all([
      post(`${url}/models/mlp/infer`, JSON.stringify({ id: '42', inputs: [x] })),
      work(answer),
    ])
    expect(response.headers.get('content-type')).toMatch('application/json')
    expect(response.headers.get('assay-receipt-id')).toBe(receiptHex)
    expect(response.headers.get('link')).toBe(`</v1/receipts/${receiptHex}/proof>; rel="describedby"`)
    expect(await outcome(response)).toEqual({
      status: 200,
      json: {
        id: '42',
        model_name: 'mlp',
        model_version: '3',
        parameters: { assay_receipt_id: receiptHex },
        outputs: [
          {
            name: 'y',
            datatype: 'FP32',
            shape: [2, 10],
            data: Array.from({ length: 20 }, (_, at) => at / 4),
          },
        ],
      },
    })
    expect(asked).toMatchObject({
      items: 2,
      requester: 'anonymous',
      subnet: { name: 'digits' },
      model: { name: 'mlp' },
    })
    expect(parseTensorBundle(asked.inputs)).toEqual([
      {
        name: 'x',
        datatype: 'FP32',
        shape: [2, 64],
        data: new Uint8Array(new Float32Array(128).fill(0.5).buffer),
      },
    ])
    expect(asked.deadlineMs).toBeGreaterThanOrEqual(before + 30_000)
    expect(asked.deadlineMs).toBeLessThanOrEqual(Date.now() + 30_000)
  })

  test.each(['', 'gzip'])('in binary, %s, is the same and answered in binary', async (encoding) => {
    const { house, work } = openServingHouse()
    const { url } = await serveInfer(house)
    const data = new Uint8Array(new Float32Array(128).fill(0.5).buffer)
    const json = Buffer.from(
      JSON.stringify({
        inputs: [{ ...x, data: undefined, parameters: { binary_data_size: 512 } }],
        parameters: { binary_data_output: true },
      }),
    )
    const body = Buffer.concat([json, data])
    const [response, asked] = await Promise.all([
      post(`${url}/models/mlp/versions/3/infer`, encoding === 'gzip' ? gzipSync(body) : body, {
        'inference-header-content-length': String(json.length),
        ...(encoding === '' ? {} : { 'content-encoding': encoding }),
      }),
      work(answer),
    ])
    expect(parseTensorBundle(asked.inputs)).toEqual([{ name: 'x', datatype: 'FP32', shape: [2, 64], data }])
    expect(response.headers.get('content-type')).toBe('application/octet-stream')
    const bytes = new Uint8Array(await response.arrayBuffer())
    const length = Number(response.headers.get('inference-header-content-length'))
    expect(JSON.parse(Buffer.from(bytes.subarray(0, length)).toString()).outputs).toEqual([
      { name: 'y', datatype: 'FP32', shape: [2, 10], parameters: { binary_data_size: 80 } },
    ])
    expect(bytes.subarray(length)).toEqual(y.data)
  })

  test.each([
    ['gzip', 400, 'gzip'],
    ['deflate', 400, 'deflate'],
    ['br, gzip;q=0.5', 400, 'gzip'],
    ['identity', 400, null],
    ['br', 400, null],
    // A short answer comes no sooner.
    ['gzip', 2, null],
  ])('of a requester that takes %s, answered with %i rows, is packed: %s', async (accepted, rows, packed) => {
    const { house, work } = openServingHouse()
    const { url } = await serveInfer(house)
    const data = new Uint8Array(Float32Array.from({ length: rows * 10 }, (_, at) => at / 4).buffer)
    const outputs = encodeTensorBundle([{ ...y, shape: [rows, 10], data }])
    const [response] = await Promise.all([
      post(`${url}/models/mlp/infer`, JSON.stringify({ inputs: [x] }), { 'accept-encoding': accepted }),
      work({ outputs, receiptId }),
    ])
    expect(response.headers.get('content-encoding')).toBe(packed)
    expect(response.headers.get('vary')).toBe('accept-encoding')
    const { json } = await outcome(response)
    expect(json).toMatchObject({
      outputs: [{ shape: [rows, 10], data: Array.from({ length: rows * 10 }, (_, at) => at / 4) }],
    })
  })

  test.each([
    [2_500_000, 2_500],
    [1, 1],
    [0, 30_000],
    [Number.MAX_SAFE_INTEGER, 300_000],
  ])('with a timeout of %i µs has %i ms', async (timeout, ms) => {
    const { house, work } = openServingHouse()
    const { url } = await serveInfer(house)
    const before = Date.now()
    const response = post(`${url}/models/mlp/infer`, JSON.stringify({ inputs: [x], parameters: { timeout } }))
    const { deadlineMs } = await work(answer)
    expect(deadlineMs).toBeGreaterThanOrEqual(before + ms)
    expect(deadlineMs).toBeLessThanOrEqual(Date.now() + ms)
    await response
  })

  test('that nobody answers in time is refused', async () => {
    const { url } = await serveInfer(openServingHouse().house)
    const body = JSON.stringify({ inputs: [x], parameters: { timeout: 1_000 } })
    expect(await outcome(await post(`${url}/models/mlp/infer`, body))).toEqual(
      refusal(504, 'deadline_exceeded'),
    )
  })

  test.each([
    [261_887, 200],
    [261_888, 400],
  ])('of %i rows of 256 bytes, at the limit of 64 KiB below a body: %i', async (rows, status) => {
    const { house, requests, work } = openServingHouse()
    const { url } = await serveInfer(house)
    const data = new Uint8Array(rows * 64 * 4)
    const head = { ...x, shape: [rows, 64], data: undefined, parameters: { binary_data_size: data.length } }
    const json = Buffer.from(JSON.stringify({ inputs: [head] }))
    const asking = post(`${url}/models/mlp/infer`, Buffer.concat([json, data]), {
      'inference-header-content-length': String(json.length),
    })
    if (status === 200) expect((await work(answer)).items).toBe(rows)
    else expect(await outcome(await asking)).toEqual(refusal(400, 'tensor_too_large'))
    expect((await asking).status).toBe(status)
    expect(requests.length).toBe(0)
  })

  test('that does not fit the model is refused before it is asked of anybody', async () => {
    const { house, requests } = openServingHouse()
    const { url, bugs } = await serveInfer(house)
    const body = JSON.stringify({ inputs: [{ ...x, shape: [2, 63] }] })
    expect(await outcome(await post(`${url}/models/mlp/infer`, body))).toEqual(refusal(400, 'shape_mismatch'))
    expect(requests.length).toBe(0)
    expect(bugs).toEqual([])
  })

  test.each([
    ['/models/nope/infer', 'model_unknown'],
    ['/models/mlp/versions/2/infer', 'version_unknown'],
  ])('at %s is refused without its body', async (path, code) => {
    const { url } = await serveInfer(openServingHouse().house)
    expect(await outcome(await post(url + path, 'not even JSON'))).toEqual(refusal(404, code))
  })

  test('answered with what is not the model’s output is the worker’s fault, and says which receipt', async () => {
    const { house, work } = openServingHouse()
    const { url } = await serveInfer(house)
    const outputs = encodeTensorBundle([{ ...y, name: 'z' }])
    const [response] = await Promise.all([
      post(`${url}/models/mlp/infer`, JSON.stringify({ inputs: [x] })),
      work({ outputs, receiptId }),
    ])
    expect(response.headers.get('assay-receipt-id')).toBe(receiptHex)
    expect(await outcome(response)).toEqual(refusal(502, 'answer_invalid'))
  })

  test('whose answer JSON has no form for says how to get it', async () => {
    const { house, work } = openServingHouse()
    const { url } = await serveInfer(house)
    const data = new Uint8Array(new Float32Array(20).fill(Number.NaN).buffer)
    const [response] = await Promise.all([
      post(`${url}/models/mlp/infer`, JSON.stringify({ inputs: [x] })),
      work({ outputs: encodeTensorBundle([{ ...y, data }]), receiptId }),
    ])
    expect(await outcome(response)).toEqual(refusal(400, 'binary_required'))
  })

  test('beyond what the queue holds is refused', async () => {
    const { house, requests, work } = openServingHouse()
    const { url } = await serveInfer(house)
    const first = post(`${url}/models/mlp/infer`, JSON.stringify({ inputs: [x] }))
    const asked = await work(answer)
    await first
    const full = Array.from({ length: 4_096 }, () =>
      requests.ask({ ...asked, deadlineMs: Date.now() + 60_000 }).catch((error) => error),
    )
    const body = JSON.stringify({ inputs: [x] })
    expect(await outcome(await post(`${url}/models/mlp/infer`, body))).toEqual(refusal(429, 'queue_full'))
    requests.close()
    await Promise.all(full)
  })

  test('beyond the bytes that may wait is refused, until they are answered', async () => {
    const { house, requests, work } = openServingHouse()
    const { url } = await serveInfer(house)
    const rows = 245_760
    const data = new Uint8Array(rows * 64 * 4)
    const head = { ...x, shape: [rows, 64], data: undefined, parameters: { binary_data_size: data.length } }
    const json = Buffer.from(JSON.stringify({ inputs: [head] }))
    const body = Buffer.concat([json, data])
    const ask = () =>
      post(`${url}/models/mlp/infer`, body, { 'inference-header-content-length': String(json.length) })
    const waiting = Array.from({ length: 4 }, ask)
    await vi.waitFor(() => expect(requests.length).toBe(4), 10_000)
    expect(await outcome(await ask())).toEqual(refusal(429, 'queue_full'))
    for (const _ of waiting) await work(answer)
    const statuses = (await Promise.all(waiting)).map(({ status }) => status)
    expect(statuses).toEqual([200, 200, 200, 200])
    expect(requests.length).toBe(0)
    const [last] = await Promise.all([ask(), work(answer)])
    expect(last.status).toBe(200)
  })

  test.each([
    ['larger than 64 MiB', new Uint8Array(64 * MIB + 1), {}],
    ['a decompression bomb', gzipSync(new Uint8Array(64 * MIB + 1)), { 'content-encoding': 'gzip' }],
  ])('whose body is %s is refused', async (_, body, headers) => {
    const { url } = await serveInfer(openServingHouse().house)
    const response = await post(`${url}/models/mlp/infer`, body, headers)
    expect(await outcome(response)).toEqual(refusal(413, 'body_too_large'))
  })

  test('whose body is of an unknown encoding is refused', async () => {
    const { url } = await serveInfer(openServingHouse().house)
    const response = await post(`${url}/models/mlp/infer`, 'x', { 'content-encoding': 'rot13' })
    expect(await outcome(response)).toEqual(refusal(415, 'request_malformed'))
  })

  test('whose body is not what its encoding says is refused', async () => {
    const { url, bugs } = await serveInfer(openServingHouse().house)
    const response = await post(`${url}/models/mlp/infer`, 'not gzip', { 'content-encoding': 'gzip' })
    expect((await outcome(response)).status).toBe(400)
    expect(bugs).toEqual([])
  })
})
