import { describe, expect, test } from 'vitest'
import type { TensorSignature } from '../../../compute/onnx/signature.ts'
import { parseInferRequest } from '../../../src/oip/parse-infer-request.ts'
import { inferMessage } from './infer-message.ts'
import { binary, bits, floats, mask, parse, parseOne, refused, signature, x } from './sample-request.ts'

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

  test.each(['[', '{', ':'])('when its JSON has %s more than 2^21 times, even in a text', (part) => {
    const body = (a: string) => Buffer.from(JSON.stringify({ inputs: [x, mask], parameters: { a } }))
    const others = body('').toString().match(/[[{:]/g)?.length ?? 0
    const text = part.repeat(2 ** 21 - others)
    expect(parseInferRequest({}, body(text), signature).items).toBe(2)
    expect(() => parseInferRequest({}, body(text + part), signature)).toThrow(refused('request_malformed'))
  })

  test.each(['name', 'datatype'])('in 4,096 characters, however long its %s is', (field) => {
    const message = expect.stringMatching(/^.{4095}…$/)
    const input = { ...x, [field]: 'a'.repeat(100_000) }
    expect(() => parse({ inputs: [input] })).toThrow(expect.objectContaining({ message }))
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
