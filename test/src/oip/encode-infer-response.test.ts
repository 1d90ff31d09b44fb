import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { TensorSignature } from '../../../compute/onnx/signature.ts'
import { prefixLengths } from '../../../compute/work/length-prefixed.ts'
import { DATATYPES, elementBytes, type Tensor } from '../../../compute/work/tensor-bundle.ts'
import { encodeInferResponse } from '../../../src/oip/encode-infer-response.ts'
import { parseInferRequest } from '../../../src/oip/parse-infer-request.ts'

const y: Tensor = {
  name: 'y',
  datatype: 'FP32',
  shape: [1, 2],
  data: new Uint8Array(Float32Array.of(0.5, -2).buffer),
}
const label: Tensor = { name: 'label', datatype: 'UINT8', shape: [1], data: Uint8Array.of(7) }
const signature: TensorSignature[] = [
  { name: 'y', datatype: 'FP32', shape: [null, 2] },
  { name: 'label', datatype: 'UINT8', shape: [null] },
]
const response = {
  id: null,
  modelName: 'mlp',
  modelVersion: '1',
  signature,
  tensors: [label, y],
  receiptId: 'ab'.repeat(32),
  opening: { job: Uint8Array.of(0xcd, 0), inputSalt: Uint8Array.of(0x1a), outputSalt: Uint8Array.of(0x2b) },
}

const text = ({ body }: { body: Uint8Array }) => Buffer.from(body).toString()

describe('an inference response', () => {
  test('as JSON holds the requested outputs, flat, the receipt’s id and what opens it', () => {
    const requested = [{ name: 'y', isBinary: false }]
    const encoded = encodeInferResponse({ ...response, id: '42', requested })
    expect(encoded.headers).toEqual({ 'content-type': 'application/json' })
    expect(JSON.parse(text(encoded))).toEqual({
      id: '42',
      model_name: 'mlp',
      model_version: '1',
      parameters: {
        assay_receipt_id: 'ab'.repeat(32),
        assay_job: 'cd00',
        assay_input_salt: '1a',
        assay_output_salt: '2b',
      },
      outputs: [{ name: 'y', datatype: 'FP32', shape: [1, 2], data: [0.5, -2] }],
    })
  })

  test('without an id in the request has none', () => {
    expect(JSON.parse(text(encodeInferResponse({ ...response, requested: [] })))).not.toHaveProperty('id')
  })

  test('keeps the order asked for and puts binary outputs behind the JSON', () => {
    const requested = [
      { name: 'label', isBinary: true },
      { name: 'y', isBinary: true },
    ]
    const { headers, body } = encodeInferResponse({ ...response, requested })
    const length = Number(headers['inference-header-content-length'])
    expect(headers['content-type']).toBe('application/octet-stream')
    expect(JSON.parse(Buffer.from(body.subarray(0, length)).toString()).outputs).toEqual([
      { name: 'label', datatype: 'UINT8', shape: [1], parameters: { binary_data_size: 1 } },
      { name: 'y', datatype: 'FP32', shape: [1, 2], parameters: { binary_data_size: 8 } },
    ])
    expect(Buffer.from(body.subarray(length))).toEqual(Buffer.concat([label.data, y.data]))
  })

  test.each([
    ['lacks an output', [label]],
    ['has an output of another datatype', [label, { ...y, datatype: 'INT32' as const }]],
  ])('is refused as the worker’s fault when its answer %s', (_, tensors) => {
    const encode = () =>
      encodeInferResponse({ ...response, tensors, requested: [{ name: 'y', isBinary: true }] })
    expect(encode).toThrow(expect.objectContaining({ code: 'answer_invalid', status: 502 }))
  })
})

test.each(DATATYPES)('binary tensors of %s leave as they came', (datatype) => {
  const size = elementBytes(datatype)
  const ascii = fc.uint8Array({ min: 1, max: 127 })
  const data =
    size === null
      ? fc
          .array(ascii, { minLength: 1 })
          .map((elements) => ({ rows: elements.length, data: prefixLengths(elements) }))
      : fc.integer({ min: 1, max: 20 }).chain((rows) =>
          fc
            .uint8Array({
              minLength: rows * size,
              maxLength: rows * size,
              max: datatype === 'BOOL' ? 1 : 255,
            })
            .map((bytes) => ({ rows, data: bytes })),
        )
  const declared: TensorSignature[] = [{ name: 't', datatype, shape: [null] }]
  fc.assert(
    fc.property(data, ({ rows, data }) => {
      const tensors = [{ name: 't', datatype, shape: [rows], data }]
      const requested = [{ name: 't', isBinary: true }]
      // A response's outputs are in the form of a request's inputs.
      const { headers, body } = encodeInferResponse({ ...response, signature: declared, tensors, requested })
      const length = Number(headers['inference-header-content-length'])
      const { outputs } = JSON.parse(Buffer.from(body.subarray(0, length)).toString())
      const json = Buffer.from(JSON.stringify({ inputs: outputs }))
      const request = parseInferRequest(
        { 'inference-header-content-length': String(json.length) },
        Buffer.concat([json, body.subarray(length)]),
        { inputs: declared, outputs: [] },
      )
      expect(request.inputs.map((tensor) => ({ ...tensor, data: new Uint8Array(tensor.data) }))).toEqual(
        tensors.map((tensor) => ({ ...tensor, data: new Uint8Array(tensor.data) })),
      )
      expect(request.items).toBe(rows)
    }),
  )
})
