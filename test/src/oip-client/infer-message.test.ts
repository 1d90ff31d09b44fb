import { describe, expect, test } from 'vitest'
import { encodeRequest, parseAnswer } from '../../../src/oip-client/infer-message.ts'
import type { TensorData } from '../../../src/oip-client/tensor-data.ts'
import vector from '../../vectors/job.json' with { type: 'json' }
import { inferMessage } from '../oip/infer-message.ts'

const receiptId = 'ab'.repeat(32)
const [inputSalt, outputSalt] = ['1a'.repeat(32), '2b'.repeat(32)]
const job = vector.bytes
const parameters = {
  assay_receipt_id: receiptId,
  assay_job: job,
  assay_input_salt: inputSalt,
  assay_output_salt: outputSalt,
}
const answer = (outputs: unknown, ...binary: Uint8Array[]) => answerWith(parameters, outputs, ...binary)
const answerWith = (parameters: unknown, outputs: unknown, ...binary: Uint8Array[]): [number, Uint8Array] => {
  const { headers, body } = inferMessage({ parameters, outputs }, ...binary)
  return [Number(headers['inference-header-content-length'] ?? body.length), body]
}
const y = { name: 'y', datatype: 'INT64', shape: [2], parameters: { binary_data_size: 16 } }

test.each<[TensorData, string]>([
  [Float32Array.of(1, 2), 'FP32'],
  [Float64Array.of(1, 2), 'FP64'],
  [Int8Array.of(1, 2), 'INT8'],
  [Int16Array.of(1, 2), 'INT16'],
  [Int32Array.of(1, 2), 'INT32'],
  [BigInt64Array.of(1n, -(2n ** 63n)), 'INT64'],
  [Uint8Array.of(1, 2), 'UINT8'],
  [Uint16Array.of(1, 2), 'UINT16'],
  [Uint32Array.of(1, 2), 'UINT32'],
  [BigUint64Array.of(1n, 2n ** 64n - 1n), 'UINT64'],
  [['', 'zwölf'], 'BYTES'],
])('%o goes and comes as %s, bit by bit', (data, datatype) => {
  const { jsonBytes, body } = encodeRequest({ inputs: { x: { shape: [2], data } } })
  const head = JSON.parse(Buffer.from(body.subarray(0, jsonBytes)).toString())
  expect(head.inputs[0]).toMatchObject({ name: 'x', datatype, shape: [2] })
  expect(head.inputs[0].parameters.binary_data_size).toBe(body.length - jsonBytes)
  expect(parseAnswer(...answer(head.inputs, body.subarray(jsonBytes)))).toEqual({
    outputs: { x: { datatype, shape: [2], data } },
    receiptId,
    job,
    inputSalt,
    outputSalt,
  })
})

describe('an answer is refused', () => {
  test.each<[string, [number, Uint8Array]]>([
    ['that is no JSON', [2, Buffer.from('[{')]],
    ['without a receipt', [2, Buffer.from('{}')]],
    ['without its job', answerWith({ ...parameters, assay_job: undefined }, [])],
    ['whose job is none', answerWith({ ...parameters, assay_job: job.slice(2) }, [])],
    ['whose job is half a byte short', answerWith({ ...parameters, assay_job: job.slice(1) }, [])],
    ['without the salt of its inputs', answerWith({ ...parameters, assay_input_salt: undefined }, [])],
    ['with a short salt of its outputs', answerWith({ ...parameters, assay_output_salt: '2b' }, [])],
    ['with JSON data', answer([{ ...y, parameters: {}, data: [1, 2] }])],
    ['of an unknown datatype', answer([{ ...y, datatype: 'FP8' }], new Uint8Array(16))],
    ['that is cut', answer([y], new Uint8Array(15))],
    ['that is too long', answer([y], new Uint8Array(17))],
    ['of broken elements', answer([{ ...y, parameters: { binary_data_size: 15 } }], new Uint8Array(15))],
    ['of another length than its shape’s', answer([{ ...y, shape: [3] }], new Uint8Array(16))],
    [
      'of text that is cut',
      answer(
        [{ ...y, datatype: 'BYTES', shape: [1], parameters: { binary_data_size: 5 } }],
        Uint8Array.of(9, 0, 0, 0, 1),
      ),
    ],
  ])('%s', (_, [jsonBytes, body]) => {
    expect(() => parseAnswer(jsonBytes, body)).toThrow(expect.objectContaining({ code: 'answer_malformed' }))
  })

  test('of bytes that text would not give back as they came', () => {
    const text = { ...y, datatype: 'BYTES', shape: [2], parameters: { binary_data_size: 11 } }
    const [jsonBytes, body] = answer([text], Uint8Array.of(2, 0, 0, 0, 0xc3, 0xa9, 1, 0, 0, 0, 0xe9))
    expect(() => parseAnswer(jsonBytes, body)).toThrow(
      expect.objectContaining({
        code: 'answer_malformed',
        message: expect.stringContaining('output y holds bytes that are not UTF-8'),
      }),
    )
  })
})
