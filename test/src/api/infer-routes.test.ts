import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { encodeTensorBundle, parseTensorBundle } from '../../../compute/work/tensor-bundle.ts'
import { answer, outcome, parameters, post, receiptHex, refusal, x, y } from './infer-request.ts'
import { serveInfer } from './serve-infer.ts'
import { openServingHouse } from './serving-house.ts'

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
        parameters,
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
      work({ ...answer, outputs }),
    ])
    expect(response.headers.get('content-encoding')).toBe(packed)
    expect(response.headers.get('vary')).toBe('accept-encoding')
    const { json } = await outcome(response)
    expect(json).toMatchObject({
      outputs: [{ shape: [rows, 10], data: Array.from({ length: rows * 10 }, (_, at) => at / 4) }],
    })
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
      work({ ...answer, outputs }),
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
      work({ ...answer, outputs: encodeTensorBundle([{ ...y, data }]) }),
    ])
    expect(await outcome(response)).toEqual(refusal(400, 'binary_required'))
  })
})
