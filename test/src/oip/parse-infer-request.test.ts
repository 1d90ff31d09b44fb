import { describe, expect, test } from 'vitest'
import type { TensorSignature } from '../../../compute/onnx/signature.ts'
import type { InferRequest } from '../../../src/oip/parse-infer-request.ts'
import { parseInferRequest } from '../../../src/oip/parse-infer-request.ts'
import { inferMessage } from './infer-message.ts'

const signature = {
  inputs: [
    { name: 'x', datatype: 'FP32', shape: [null, 2] },
    { name: 'mask', datatype: 'BOOL', shape: [3] },
  ],
  outputs: [
    { name: 'y', datatype: 'FP32', shape: [null, 10] },
    { name: 'label', datatype: 'INT64', shape: [null] },
  ],
} satisfies { inputs: TensorSignature[]; outputs: TensorSignature[] }

const x = { name: 'x', shape: [2, 2], datatype: 'FP32', data: [1, 2, 3, 4] }
const mask = { name: 'mask', shape: [3], datatype: 'BOOL', data: [true, false, true] }
const floats = new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer)
const bits = Uint8Array.of(1, 0, 1)
const binary = (bytes: number) => ({ data: undefined, parameters: { binary_data_size: bytes } })

function parse(head: unknown, ...parts: Uint8Array[]): InferRequest {
  const { headers, body } = inferMessage(head, ...parts)
  return parseInferRequest(headers, body, signature)
}

/** Every input of `signature` with one tensor of the given form. */
function parseOne(tensor: TensorSignature, input: object, ...parts: Uint8Array[]): InferRequest {
  const { headers, body } = inferMessage({ inputs: [{ name: tensor.name, ...input }] }, ...parts)
  return parseInferRequest(headers, body, { inputs: [tensor], outputs: [] })
}

const refused = (code: string, status = 400) => expect.objectContaining({ name: 'OipError', code, status })

describe('an inference request', () => {
  const tensors = [
    { name: 'x', datatype: 'FP32', shape: [2, 2], data: floats },
    { name: 'mask', datatype: 'BOOL', shape: [3], data: bits },
  ]

  test.each([
    ['flat JSON', { inputs: [x, mask] }, []],
    [
      'nested JSON',
      {
        inputs: [
          {
            ...x,
            data: [
              [1, 2],
              [3, 4],
            ],
          },
          mask,
        ],
      },
      [],
    ],
    [
      'binary data',
      {
        inputs: [
          { ...x, ...binary(16) },
          { ...mask, ...binary(3) },
        ],
      },
      [floats, bits],
    ],
    ['JSON beside binary data', { inputs: [x, { ...mask, ...binary(3) }] }, [bits]],
    ['binary data beside JSON', { inputs: [{ ...x, ...binary(16) }, mask] }, [floats]],
  ])('gives the same tensors from %s', (_, head, parts) => {
    expect(parse(head, ...parts).inputs).toEqual(tensors)
  })

  test('takes its binary tensors in the order of its inputs, whatever the model’s', () => {
    const { inputs } = parse(
      {
        inputs: [
          { ...mask, ...binary(3) },
          { ...x, ...binary(16) },
        ],
      },
      bits,
      floats,
    )
    expect(inputs).toEqual(tensors.toReversed())
  })

  test('counts the rows of the first input where the model leaves them free', () => {
    expect(parse({ inputs: [mask, x] }).items).toBe(2)
    expect(parse({ inputs: [mask, { ...x, shape: [1, 2], data: [1, 2] }] }).items).toBe(1)
  })

  test('is one item where the model fixes its first dimension, or has none', () => {
    const row = { shape: [2], datatype: 'UINT8', data: [1, 2] }
    expect(parseOne({ name: 'x', datatype: 'UINT8', shape: [2] }, row).items).toBe(1)
    expect(
      parseOne({ name: 'x', datatype: 'UINT8', shape: [] }, { ...row, shape: [], data: [7] }).items,
    ).toBe(1)
    const { headers, body } = inferMessage({ inputs: [] })
    expect(parseInferRequest(headers, body, { inputs: [], outputs: [] }).items).toBe(1)
  })

  test('asks for every output as JSON when it says nothing', () => {
    const { id, outputs, timeoutMicroseconds, priority } = parse({ inputs: [x, mask] })
    expect(outputs).toEqual([
      { name: 'y', isBinary: false },
      { name: 'label', isBinary: false },
    ])
    expect({ id, timeoutMicroseconds, priority }).toEqual({
      id: null,
      timeoutMicroseconds: null,
      priority: null,
    })
    expect(parse({ inputs: [x, mask], outputs: [] }).outputs).toEqual(outputs)
  })

  test('asks for outputs by name, binary by each one’s word before the request’s', () => {
    const { outputs, id, timeoutMicroseconds, priority } = parse({
      id: '42',
      model_name: 'passed over',
      inputs: [x, mask],
      outputs: [{ name: 'label', parameters: { binary_data: false } }, { name: 'y' }],
      parameters: { binary_data_output: true, timeout: 5_000_000, priority: 1, of_a_backend: 'too' },
    })
    expect(outputs).toEqual([
      { name: 'label', isBinary: false },
      { name: 'y', isBinary: true },
    ])
    expect({ id, timeoutMicroseconds, priority }).toEqual({
      id: '42',
      timeoutMicroseconds: 5_000_000,
      priority: 1,
    })
  })

  test('takes zero elements where the model leaves a later dimension free', () => {
    const tensor: TensorSignature = { name: 'x', datatype: 'INT8', shape: [2, null] }
    for (const data of [[], [[], []]]) {
      const { inputs } = parseOne(tensor, { shape: [2, 0], datatype: 'INT8', data })
      expect(inputs).toEqual([{ name: 'x', datatype: 'INT8', shape: [2, 0], data: new Uint8Array() }])
    }
  })
})

describe('an inference request is refused', () => {
  const far = [1_048_576, 65]

  test.each<[string, string, unknown, Uint8Array[]]>([
    ['that is no object', 'request_malformed', [], []],
    ['without inputs', 'request_malformed', {}, []],
    ['with more inputs than a bundle holds', 'request_malformed', { inputs: Array(65).fill(x) }, []],
    ['with an id that is no text', 'request_malformed', { id: 42, inputs: [x, mask] }, []],
    ['with an id of 257 characters', 'request_malformed', { id: 'a'.repeat(257), inputs: [x, mask] }, []],
    [
      'with an input that has no name',
      'request_malformed',
      { inputs: [{ ...x, name: undefined }, mask] },
      [],
    ],
    [
      'with an input that has no shape',
      'request_malformed',
      { inputs: [{ ...x, shape: undefined }, mask] },
      [],
    ],
    ['with a negative dimension', 'request_malformed', { inputs: [{ ...x, shape: [-1, 2] }, mask] }, []],
    ['with a broken dimension', 'request_malformed', { inputs: [{ ...x, shape: [1.5, 2] }, mask] }, []],
    ['with a dimension of 2^53', 'request_malformed', { inputs: [{ ...x, shape: [2 ** 53, 2] }, mask] }, []],
    ['with 17 dimensions', 'request_malformed', { inputs: [{ ...x, shape: Array(17).fill(1) }, mask] }, []],
    ['with data that is no array', 'request_malformed', { inputs: [{ ...x, data: '1234' }, mask] }, []],
    [
      'with data given twice',
      'request_malformed',
      { inputs: [{ ...x, parameters: { binary_data_size: 16 } }, mask] },
      [floats],
    ],
    [
      'with a negative binary size',
      'request_malformed',
      { inputs: [{ ...x, ...binary(-1) }, mask] },
      [floats],
    ],
    [
      'with a broken binary size',
      'request_malformed',
      { inputs: [{ ...x, ...binary(1.5) }, mask] },
      [floats],
    ],
    [
      'with a binary flag that is no boolean',
      'request_malformed',
      { inputs: [x, mask], outputs: [{ name: 'y', parameters: { binary_data: 1 } }] },
      [],
    ],
    [
      'with a negative priority',
      'request_malformed',
      { inputs: [x, mask], parameters: { priority: -1 } },
      [],
    ],
    ['with a negative timeout', 'request_malformed', { inputs: [x, mask], parameters: { timeout: -1 } }, []],
    [
      'with a timeout that is text',
      'request_malformed',
      { inputs: [x, mask], parameters: { timeout: '1' } },
      [],
    ],
    ['with an unknown input', 'input_unknown', { inputs: [x, mask, { ...x, name: 'z' }] }, []],
    ['with an input twice', 'input_repeated', { inputs: [x, mask, x] }, []],
    ['without one of the inputs', 'input_missing', { inputs: [x] }, []],
    ['with no input at all', 'input_missing', { inputs: [] }, []],
    ['with another datatype', 'datatype_mismatch', { inputs: [{ ...x, datatype: 'FP64' }, mask] }, []],
    ['with an unheard-of datatype', 'datatype_mismatch', { inputs: [{ ...x, datatype: 'fp32' }, mask] }, []],
    ['with a dimension less', 'shape_mismatch', { inputs: [{ ...x, shape: [4] }, mask] }, []],
    ['with a dimension more', 'shape_mismatch', { inputs: [{ ...x, shape: [2, 2, 1] }, mask] }, []],
    ['with another fixed dimension', 'shape_mismatch', { inputs: [{ ...x, shape: [1, 4] }, mask] }, []],
    ['with no rows', 'batch_empty', { inputs: [{ ...x, shape: [0, 2], data: [] }, mask] }, []],
    [
      'with a dimension that no body can hold',
      'tensor_too_large',
      { inputs: [{ ...x, shape: [2 ** 26, 2] }, mask] },
      [],
    ],
    [
      'with shared memory',
      'parameter_unsupported',
      { inputs: [{ ...x, data: undefined, parameters: { shared_memory_region: 'r' } }, mask] },
      [],
    ],
    ['with neither data nor binary size', 'data_missing', { inputs: [{ ...x, data: undefined }, mask] }, []],
    ['with too few elements', 'data_length_mismatch', { inputs: [{ ...x, data: [1, 2, 3] }, mask] }, []],
    [
      'with too many elements',
      'data_length_mismatch',
      { inputs: [{ ...x, data: [1, 2, 3, 4, 5] }, mask] },
      [],
    ],
    ['with ragged rows', 'data_length_mismatch', { inputs: [{ ...x, data: [[1, 2, 3], [4]] }, mask] }, []],
    [
      'with rows beside elements',
      'data_length_mismatch',
      { inputs: [{ ...x, data: [[1, 2], 3] }, mask] },
      [],
    ],
    [
      'with rows of another shape',
      'data_length_mismatch',
      { inputs: [{ ...x, data: [[1, 2, 3, 4]] }, mask] },
      [],
    ],
    [
      'nested deeper than its shape',
      'value_invalid',
      {
        inputs: [
          {
            ...x,
            data: [
              [[1], [2]],
              [[3], [4]],
            ],
          },
          mask,
        ],
      },
      [],
    ],
    [
      'with binary data of another length than its shape',
      'data_length_mismatch',
      { inputs: [{ ...x, ...binary(12) }, mask] },
      [floats.subarray(4)],
    ],
    [
      'with binary data that ends within an element',
      'data_length_mismatch',
      { inputs: [{ ...x, ...binary(15) }, mask] },
      [floats.subarray(1)],
    ],
    [
      'with binary data cut short',
      'binary_length_mismatch',
      { inputs: [{ ...x, ...binary(16) }, mask] },
      [floats.subarray(1)],
    ],
    [
      'with binary data that the next tensor needs',
      'binary_length_mismatch',
      {
        inputs: [
          { ...x, ...binary(16) },
          { ...mask, ...binary(3) },
        ],
      },
      [floats, bits.subarray(1)],
    ],
    [
      'with bytes behind its tensors',
      'binary_length_mismatch',
      { inputs: [{ ...x, ...binary(16) }, mask] },
      [floats, Uint8Array.of(0)],
    ],
    ['with bytes behind JSON alone', 'binary_length_mismatch', { inputs: [x, mask] }, [Uint8Array.of(0)]],
    [
      'with binary data but no header for it',
      'binary_length_mismatch',
      { inputs: [{ ...x, ...binary(16) }, mask] },
      [],
    ],
    [
      'with a binary boolean of 2',
      'value_invalid',
      { inputs: [x, { ...mask, ...binary(3) }] },
      [Uint8Array.of(1, 0, 2)],
    ],
    ['for an unknown output', 'output_unknown', { inputs: [x, mask], outputs: [{ name: 'x' }] }, []],
    [
      'for an output twice',
      'output_repeated',
      { inputs: [x, mask], outputs: [{ name: 'y' }, { name: 'y' }] },
      [],
    ],
    ['for an output without a name', 'request_malformed', { inputs: [x, mask], outputs: [{}] }, []],
    [
      'for a classification',
      'parameter_unsupported',
      { inputs: [x, mask], outputs: [{ name: 'y', parameters: { classification: 3 } }] },
      [],
    ],
    [
      'for an output in shared memory',
      'parameter_unsupported',
      { inputs: [x, mask], outputs: [{ name: 'y', parameters: { shared_memory_region: 'r' } }] },
      [],
    ],
  ])('%s', (_, code, head, parts) => {
    expect(() => parse(head, ...parts)).toThrow(refused(code))
  })

  test('whose elements would be more bytes than a bundle holds, before any is read', () => {
    const tensor: TensorSignature = { name: 'x', datatype: 'UINT8', shape: [null, null] }
    expect(() => parseOne(tensor, { shape: far, datatype: 'UINT8', data: [] })).toThrow(
      refused('tensor_too_large'),
    )
    expect(() => parseOne(tensor, { shape: [1, 2 ** 26], datatype: 'UINT8', data: [] })).toThrow(
      refused('data_length_mismatch'),
    )
    // Beside a zero, a huge dimension would cost no bytes.
    expect(() => parseOne(tensor, { shape: [2 ** 26 + 1, 0], datatype: 'UINT8', data: [] })).toThrow(
      refused('tensor_too_large'),
    )
  })

  test.each([
    ['is empty', ''],
    ['is no JSON', '{"inputs":'],
    ['holds JSON and more', '{"inputs":[]} x'],
    ['nests without end', '['.repeat(100_000)],
  ])('when its body %s', (_, text) => {
    expect(() => parseInferRequest({}, Buffer.from(text), signature)).toThrow(refused('request_malformed'))
  })

  test('when its JSON is not UTF-8', () => {
    const body = Buffer.from('{"id":"\xff","inputs":[]}', 'latin1')
    expect(() => parseInferRequest({}, body, signature)).toThrow(refused('request_malformed'))
  })

  test.each(['-1', '1.5', '0x10', '', 'all', '20, 20', '9'.repeat(16), 'one more'])(
    'with Inference-Header-Content-Length %j',
    (text) => {
      const body = Buffer.from(JSON.stringify({ inputs: [x, mask] }))
      const headers = {
        'inference-header-content-length': text === 'one more' ? String(body.length + 1) : text,
      }
      expect(() => parseInferRequest(headers, body, signature)).toThrow(refused('header_length_invalid'))
    },
  )

  test('with a header length that ends within its JSON', () => {
    const { body } = inferMessage({ inputs: [x, mask] })
    const headers = { 'inference-header-content-length': String(body.length - 1) }
    expect(() => parseInferRequest(headers, body, signature)).toThrow(refused('request_malformed'))
  })

  test('for an FP16 output as JSON, before the work is done', () => {
    const half = { inputs: [], outputs: [{ name: 'h', datatype: 'FP16' as const, shape: [] }] }
    const ask = (head: object) => {
      const { headers, body } = inferMessage({ inputs: [], ...head })
      return parseInferRequest(headers, body, half).outputs
    }
    expect(() => ask({})).toThrow(refused('binary_required'))
    expect(() => ask({ outputs: [{ name: 'h' }] })).toThrow(/binary_data/)
    expect(ask({ parameters: { binary_data_output: true } })).toEqual([{ name: 'h', isBinary: true }])
  })
})

describe('strings', () => {
  const tensor: TensorSignature = { name: 's', datatype: 'BYTES', shape: [null] }
  const bundle = Buffer.from('\x02\0\0\0hi\0\0\0\0\x02\0\0\0\xc3\xa9', 'latin1')

  test('come as JSON or behind their lengths', () => {
    const head = { shape: [3], datatype: 'BYTES' }
    const [fromJson] = parseOne(tensor, { ...head, data: ['hi', '', 'é'] }).inputs
    const [binary] = parseOne(tensor, { ...head, parameters: { binary_data_size: 16 } }, bundle).inputs
    expect(Buffer.from(fromJson?.data ?? [])).toEqual(bundle)
    expect(Buffer.from(binary?.data ?? [])).toEqual(bundle)
  })

  test.each([
    ['a number', 'value_invalid', [5]],
    ['half a surrogate pair', 'value_invalid', ['\ud800']],
    ['a NUL, which ONNX Runtime would cut it at', 'value_invalid', ['a\0b']],
  ])('are refused for %s', (_, code, data) => {
    expect(() => parseOne(tensor, { shape: [1], datatype: 'BYTES', data })).toThrow(refused(code))
  })

  test.each([
    ['cut within a length', 'data_length_mismatch', 1, '\x01\0\0'],
    ['cut within a string', 'data_length_mismatch', 1, '\x02\0\0\0a'],
    ['of a length beyond all bounds', 'data_length_mismatch', 1, '\xff\xff\xff\xffa'],
    ['of another count than the shape', 'data_length_mismatch', 2, '\x01\0\0\0a'],
    ['that are not UTF-8', 'value_invalid', 1, '\x01\0\0\0\xff'],
    ['with a NUL', 'value_invalid', 1, '\x01\0\0\0\0'],
  ])('as binary data are refused when %s', (_, code, count, latin1) => {
    const data = Buffer.from(latin1, 'latin1')
    const head = { shape: [count], datatype: 'BYTES', parameters: { binary_data_size: data.length } }
    expect(() => parseOne(tensor, head, data)).toThrow(refused(code))
  })
})

describe('a request without JSON', () => {
  const headers = { 'inference-header-content-length': '0' }
  const raw = (body: Uint8Array, ...inputs: TensorSignature[]) =>
    parseInferRequest(headers, body, { inputs, outputs: signature.outputs })

  test('is the one input, its free dimension as its length says, and wants binary outputs', () => {
    const free: TensorSignature = { name: 'x', datatype: 'FP32', shape: [null, 2] }
    expect(raw(floats, free)).toEqual({
      id: null,
      inputs: [{ name: 'x', datatype: 'FP32', shape: [2, 2], data: floats }],
      outputs: [
        { name: 'y', isBinary: true },
        { name: 'label', isBinary: true },
      ],
      items: 2,
      timeoutMicroseconds: null,
      priority: null,
    })
    expect(raw(floats, { ...free, shape: [2, 2] }).items).toBe(1)
  })

  test('is refused when its length is not of whole rows', () => {
    const refusal = refused('data_length_mismatch')
    expect(() => raw(floats.subarray(4), { name: 'x', datatype: 'FP32', shape: [null, 2] })).toThrow(refusal)
    expect(() => raw(floats.subarray(4), { name: 'x', datatype: 'FP32', shape: [2, 2] })).toThrow(refusal)
    expect(() => raw(floats, { name: 'x', datatype: 'FP32', shape: [null, 0] })).toThrow(refusal)
  })

  test('is refused for a model of two inputs, two free dimensions or strings', () => {
    const refusal = refused('request_malformed')
    expect(() => raw(floats, ...signature.inputs)).toThrow(refusal)
    expect(() => raw(floats)).toThrow(refusal)
    expect(() => raw(floats, { name: 'x', datatype: 'FP32', shape: [null, null] })).toThrow(refusal)
    expect(() => raw(floats, { name: 'x', datatype: 'BYTES', shape: [null] })).toThrow(refusal)
  })
})
