import { describe, expect, test } from 'vitest'
import type { TensorSignature } from '../../../compute/onnx/signature.ts'
import { parseInferRequest } from '../../../src/oip/parse-infer-request.ts'
import { inferMessage } from './infer-message.ts'
import { binary, bits, floats, mask, parse, parseOne, refused, signature, x } from './sample-request.ts'

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

  test('takes null for nothing said', () => {
    const given = { inputs: [{ ...x, ...binary(16) }, mask], outputs: [{ name: 'y' }] }
    const named = { binary_data: null, classification: null, shared_memory_region: null }
    const all = {
      id: null,
      inputs: [
        { ...x, data: null, parameters: { binary_data_size: 16, shared_memory_region: null } },
        { ...mask, parameters: null },
      ],
      outputs: [{ name: 'y', parameters: named }],
      parameters: { binary_data_output: null, priority: null, timeout: null },
    }
    expect(parse(all, floats)).toEqual(parse(given, floats))
    expect(parse({ ...all, outputs: null, parameters: null }, floats).outputs).toHaveLength(2)
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
