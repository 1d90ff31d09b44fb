import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MAX_CONFIG_BYTES, parseModelConfig } from '../../../src/model-repository/model-config.ts'
import { RepositoryError } from '../../../src/model-repository/repository-error.ts'

const parse = (text: string) => parseModelConfig(Buffer.from(text), 'm/config.pbtxt')

/** Every field that has an effect, and those that have none, in the forms that the text format has for each. */
const FULL = `
# as people write it
name: "m"  platform: 'onnxruntime_onnx'; backend: "onnx" "runtime"
max_batch_size: 0x8
input [
  { name: "x" data_type: TYPE_FP32 format: FORMAT_NCHW dims: [ 3, 224, -1 ] },
  { name: "ids", data_type: 9, dims: 1 dims: 2, optional: false }
]
output < name: "y" data_type: TYPE_STRING dims: [ 4 ] label_filename: "labels.txt" >
output { name: "z" data_type: TYPE_BOOL }
version_policy: { specific { versions: [ 3 ] } }
default_model_filename: "net.onnx"
instance_group [ { count: 2 kind: KIND_GPU gpus: [ 0, 1 ] } ]
dynamic_batching { preferred_batch_size: [ 4, 8 ] max_queue_delay_microseconds: 100 }
optimization { execution_accelerators { gpu_execution_accelerator: [ { name: "tensorrt" } ] } }
parameters { key: "intra_op_thread_count" value: { string_value: "1" } }
parameters { key: "__proto__" value: { string_value: "1" } }
model_warmup [ { name: "w" batch_size: 1 } ]
model_transaction_policy { decoupled: false }
`

test('what a configuration says is read, and what has no effect is named', () => {
  expect(parse(FULL)).toMatchObject({
    name: 'm',
    versionPolicy: { specific: [3] },
    maxBatchSize: 8,
    inputs: [
      { name: 'x', dataType: 'TYPE_FP32', dims: [3, 224, -1] },
      { name: 'ids', dataType: 'TYPE_INT64', dims: [1, 2] },
    ],
    outputs: [
      { name: 'y', dataType: 'TYPE_STRING', dims: [4] },
      { name: 'z', dataType: 'TYPE_BOOL', dims: [] },
    ],
    fileName: 'net.onnx',
    ignored: [
      'format',
      'label_filename',
      'instance_group',
      'dynamic_batching',
      'optimization',
      'parameters',
      'model_warmup',
    ],
  })
})

test('an empty one leaves all to folder and graph', () => {
  expect(parse('')).toEqual({
    name: null,
    versionPolicy: { latest: 1 },
    maxBatchSize: 0,
    inputs: [],
    outputs: [],
    fileName: 'model.onnx',
    ignored: [],
  })
})

test.each([
  ['version_policy { all {} }', 'all'],
  ['version_policy: { latest { num_versions: 2 } }', { latest: 2 }],
  ['version_policy { latest {} }', { latest: 1 }],
  ['version_policy {}', { latest: 1 }],
  ['version_policy { specific { versions: 1, versions: 20261121 } }', { specific: [1, 20_261_121] }],
  ['version_policy { specific {} }', { specific: [] }],
])('%s', (text, versionPolicy) => {
  expect(parse(text)).toMatchObject({ versionPolicy })
})

describe('is refused as malformed', () => {
  test.each<[string, string]>([
    ['JSON', '{"name": "m"}'],
    ['a name without quotes', 'name: m'],
    ['an open string', 'name: "m'],
    ['a string over two lines', 'name: "m\n"'],
    ['an unknown escape', 'name: "\\q"'],
    ['a string that is not UTF-8', 'name: "\\xff"'],
    ['two names', 'name: "m" name: "m"'],
    ['a list of names', 'name: ["m"]'],
    ['a field that Triton does not have', 'nmae: "m"'],
    ['a field that an input does not have', 'input { dim: [1] }'],
    ['a field by its number', '1: "m"'],
    ['an extension', '[inference.x]: 1'],
    ['no value', 'name:'],
    ['no colon', 'max_batch_size 8'],
    ['two separators', 'name: "m",, backend: ""'],
    ['a brace too many', 'input { name: "x" } }'],
    ['a brace too few', 'input { name: "x"'],
    ['braces that do not match', 'input { name: "x" >'],
    ['an ignored field that does not end', 'instance_group [ { count: 1 }'],
    ['a negative batch', 'max_batch_size: -1'],
    ['a batch that is no integer', 'max_batch_size: 1.5'],
    ['a batch beyond int32', 'max_batch_size: 2147483648'],
    ['an input without a name', 'input { data_type: TYPE_FP32 }'],
    ['an unknown type by name', 'input { name: "x" data_type: TYPE_FP8 }'],
    ['an unknown type by number', 'input { name: "x" data_type: 99 }'],
    ['a dimension of 0', 'input { name: "x" dims: [ 0 ] }'],
    ['a dimension of -2', 'output { name: "y" dims: [ -2 ] }'],
    ['a dimension that loses digits', 'input { name: "x" dims: [ 9007199254740993 ] }'],
    ['a dimension beyond int64', 'input { name: "x" dims: [ 9223372036854775808 ] }'],
    ['two policies', 'version_policy { all {} latest {} }'],
    ['a file elsewhere', 'default_model_filename: "../1/model.onnx"'],
    ['a file elsewhere on Windows', 'default_model_filename: "..\\\\model.onnx"'],
    ['a file name with NUL', 'default_model_filename: "a\\0"'],
    ['the folder for a file', 'default_model_filename: ".."'],
    ['nothing but depth', 'optimization {'.repeat(1_000)],
    ['deep brackets in what is ignored', `parameters ${'{'.repeat(1_000)}${'}'.repeat(1_000)}`],
  ])('%s', (_what, text) => {
    expect(() => parse(text)).toThrow(expect.objectContaining({ code: 'repository_config_malformed' }))
  })

  test('what is not UTF-8', () => {
    expect(() => parseModelConfig(Buffer.from('# caf\xe9', 'latin1'), 'm')).toThrow(
      expect.objectContaining({ code: 'repository_config_malformed' }),
    )
  })
})

test.each([
  ['batch_input', 'batch_input [ { kind: BATCH_ELEMENT_COUNT } ]'],
  ['batch_output', 'batch_output { target_name: "y" }'],
  ['cc_model_filenames', 'cc_model_filenames { key: "8.0" value: "a.onnx" }'],
  ['ensemble_scheduling', 'ensemble_scheduling { step [ { model_name: "a" } ] }'],
  ['model_operations', 'model_operations { op_library_filename: "x.so" }'],
  ['model_repository_agents', 'model_repository_agents { agents [ { name: "a" } ] }'],
  ['runtime', 'runtime: "own.so"'],
  ['sequence_batching', 'sequence_batching {}'],
  ['decoupled', 'model_transaction_policy { decoupled: true }'],
  ['reshape', 'input { name: "x" reshape { shape: [ 1 ] } }'],
  ['reshape', 'output { name: "y" reshape: { shape: [] } }'],
  ['optional of x', 'input { name: "x" optional: true }'],
  ['allow_ragged_batch of x', 'input { name: "x" allow_ragged_batch: true }'],
  ['is_shape_tensor of x', 'input { name: "x" is_shape_tensor: true }'],
  ['is_non_linear_format_io of y', 'output { name: "y" is_non_linear_format_io: true }'],
])('%s would change the answer, and is refused by name', (field, text) => {
  const message = `m/config.pbtxt: ${field} is not supported`
  expect(() => parse(text)).toThrow(
    expect.objectContaining({ code: 'repository_config_unsupported', message }),
  )
})

test.each([
  'platform: "tensorrt_plan"',
  'backend: "python"',
  'platform: "onnxruntime_onnx" backend: "tensorrt"',
])('%s is not run', (text) => {
  expect(() => parse(text)).toThrow(expect.objectContaining({ code: 'repository_platform_unsupported' }))
})

test('any text is read or refused by a code', () => {
  const cut = fc
    .tuple(fc.nat(FULL.length), fc.nat(20), fc.string({ maxLength: 8 }))
    .map(([at, length, put]) => {
      return FULL.slice(0, at) + put + FULL.slice(at + length)
    })
  fc.assert(
    fc.property(fc.oneof(cut, fc.string()), (text) => {
      try {
        parse(text)
      } catch (error) {
        expect(error).toBeInstanceOf(RepositoryError)
      }
    }),
  )
})

test('of many faults the first few are told', () => {
  const dims = `dims: [ ${Array(10_000).fill(0).join()} ]`
  expect(() => parse(`input { name: "x" ${dims} }`)).toThrow(/^.{0,200}$/s)
})

test('the longest one is read', () => {
  const dims = `dims: [ ${Array(MAX_CONFIG_BYTES / 2 - 32)
    .fill(1)
    .join()} ]`
  expect(parse(`input { name: "x" ${dims} }`).inputs[0]?.dims).toHaveLength(MAX_CONFIG_BYTES / 2 - 32)
})
