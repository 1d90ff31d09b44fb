import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { MAX_MODEL_BYTES } from '../../../compute/onnx/admission.ts'
import { graph, model, node, tensor, valueInfo } from '../../../compute/onnx/graph-builder.ts'
import { encodeModel } from '../../../compute/onnx/model.ts'
import { MAX_CONFIG_BYTES } from '../../../src/model-repository/model-config.ts'
import { readRepository } from '../../../src/model-repository/read-repository.ts'
import { mlp } from '../../compute/onnx/sample-models.ts'

/** x FP32 [N, 64] → y FP32 [N, 10] */
const MLP = encodeModel(mlp())
/** ids INT64 [2, N], text BYTES [2] → same INT64 [2, N] */
const FIXED = encodeModel(
  model(
    graph('fixed', {
      input: [valueInfo('ids', 'INT64', [2, 'N']), valueInfo('text', 'BYTES', [2])],
      output: [valueInfo('same', 'INT64', [2, 'N'])],
      node: [node('Identity', ['ids'], ['same'])],
    }),
  ),
)

let folder: string
let outside: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'assay-repository-'))
  outside = mkdtempSync(join(tmpdir(), 'assay-elsewhere-'))
})
afterEach(() => {
  for (const one of [folder, outside]) rmSync(one, { recursive: true, force: true })
})

function put(path: string, bytes: Uint8Array | string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true })
  writeFileSync(join(folder, path), bytes)
}
const read = (only: string[] | null = null) => readRepository(folder, only)
const refused = (code: string) => expect.objectContaining({ name: 'RepositoryError', code })

test('every model is taken, by name, in its newest version; what is no model is left', () => {
  put('b/9/model.onnx', FIXED)
  put('b/10/model.onnx', MLP)
  for (const name of ['012', '1000000000000000', '1e9', '-13']) put(`b/${name}/model.onnx`, FIXED)
  put('b/old/model.onnx', FIXED)
  put('b/11', 'a file')
  put('a/1/model.onnx', FIXED)
  put('README', 'of the folder')
  put('.git/config', '')
  const [a, b, ...others] = read()
  expect(others).toEqual([])
  expect(a).toMatchObject({ name: 'a', version: 1, ignored: [] })
  expect(b).toMatchObject({ name: 'b', version: 10 })
  expect(Buffer.from(b?.file ?? [])).toEqual(Buffer.from(MLP))
})

test('only what is asked for is looked at', () => {
  put('a/1/model.onnx', MLP)
  put('broken/config.pbtxt', '}')
  symlinkSync(outside, join(folder, 'elsewhere'))
  expect(read(['a'])).toMatchObject([{ name: 'a' }])
  expect(() => read(['a', 'b'])).toThrow(refused('repository_model_unknown'))
  expect(() => read(['..'])).toThrow(refused('repository_model_unknown'))
  expect(() => read([])).toThrow(refused('repository_empty'))
})

test('a configuration chooses version and file, and says what has no effect', () => {
  put('a/3/net.onnx', FIXED)
  put('a/4/net.onnx', MLP)
  put(
    'a/config.pbtxt',
    'version_policy { specific { versions: 3 } } default_model_filename: "net.onnx" dynamic_batching {}',
  )
  expect(read()).toMatchObject([{ version: 3, ignored: ['dynamic_batching'] }])
})

describe('versions', () => {
  test.each([
    ['several by all', [1, 2], 'version_policy { all {} }', 'repository_versions_several'],
    [
      'several newest',
      [1, 2, 3],
      'version_policy { latest { num_versions: 2 } }',
      'repository_versions_several',
    ],
    [
      'one that is not there',
      [1],
      'version_policy { specific { versions: 2 } }',
      'repository_version_missing',
    ],
    ['none by name', [1], 'version_policy { specific {} }', 'repository_version_missing'],
    ['none at all', [], '', 'repository_version_missing'],
  ])('%s are refused', (_what, versions, config, code) => {
    put('a/config.pbtxt', config)
    for (const version of versions) put(`a/${version}/model.onnx`, MLP)
    expect(() => read()).toThrow(refused(code))
  })

  test.each([
    ['all of one', [7], 'version_policy { all {} }', 7],
    ['more than there are', [7], 'version_policy { latest { num_versions: 4294967295 } }', 7],
    ['one twice', [7, 8], 'version_policy { specific { versions: [ 7, 7 ] } }', 7],
  ])('%s is one', (_what, versions, config, version) => {
    put('a/config.pbtxt', config)
    for (const one of versions) put(`a/${one}/model.onnx`, MLP)
    expect(read()).toMatchObject([{ version }])
  })
})

describe('what is declared is held against the graph', () => {
  const ids = 'input { name: "ids" data_type: TYPE_INT64 dims: [ 2, -1 ] }'
  const text = 'input { name: "text" data_type: TYPE_STRING dims: [ 2 ] }'

  test.each([
    [
      'a batch, and dimensions without it',
      MLP,
      'max_batch_size: 8 input { name: "x" data_type: TYPE_FP32 dims: 64 }',
    ],
    ['an output', MLP, 'max_batch_size: 8 output { name: "y" data_type: TYPE_FP32 dims: [ 10 ] }'],
    [
      'no batch, and all dimensions',
      FIXED,
      `${ids} ${text} output { name: "same" data_type: TYPE_INT64 dims: [ 2, -1 ] }`,
    ],
    [
      'a size where the graph has none',
      FIXED,
      `${text} input { name: "ids" data_type: TYPE_INT64 dims: [ 2, 5 ] }`,
    ],
    ['nothing but the name', FIXED, 'name: "a" platform: "onnxruntime_onnx"'],
  ])('%s agree', (_what, file, config) => {
    put('a/1/model.onnx', file)
    put('a/config.pbtxt', config)
    expect(read()).toHaveLength(1)
  })

  test.each([
    ['another name than the folder’s', FIXED, 'name: "b"'],
    ['an input that the graph does not have', FIXED, `${ids} ${text} input { name: "x" dims: 1 }`],
    ['an input twice', FIXED, `${ids} ${ids} ${text}`],
    ['an input too few', FIXED, ids],
    ['another type', FIXED, `${text} input { name: "ids" data_type: TYPE_INT32 dims: [ 2, -1 ] }`],
    ['no type', FIXED, `${text} input { name: "ids" dims: [ 2, -1 ] }`],
    ['another size', FIXED, `${text} input { name: "ids" data_type: TYPE_INT64 dims: [ 3, -1 ] }`],
    [
      'any size where the graph has one',
      FIXED,
      `${text} input { name: "ids" data_type: TYPE_INT64 dims: [ -1, -1 ] }`,
    ],
    ['a dimension too few', FIXED, `${text} input { name: "ids" data_type: TYPE_INT64 dims: [ 2 ] }`],
    [
      'an output that the graph does not have',
      MLP,
      'output { name: "z" data_type: TYPE_FP32 dims: [ -1, 10 ] }',
    ],
    ['an output of another size', MLP, 'output { name: "y" data_type: TYPE_FP32 dims: [ -1, 11 ] }'],
    ['a batch that the graph does not take', FIXED, 'max_batch_size: 8'],
    [
      'the batch among the dimensions',
      MLP,
      'max_batch_size: 8 input { name: "x" data_type: TYPE_FP32 dims: [ -1, 64 ] }',
    ],
  ])('%s differs', (_what, file, config) => {
    put('a/1/model.onnx', file)
    put('a/config.pbtxt', config)
    expect(() => read()).toThrow(refused('repository_config_differs'))
  })
})

describe('links', () => {
  test('inside of the folder are followed', () => {
    put('a/1/model.onnx', MLP)
    symlinkSync('a', join(folder, 'b'))
    symlinkSync('1', join(folder, 'a/2'))
    expect(read()).toMatchObject([
      { name: 'a', version: 2 },
      { name: 'b', version: 2 },
    ])
  })

  test.each([
    ['a model', 'a', 'model'],
    ['a version', 'a/1', 'model/1'],
    ['a file', 'a/1/model.onnx', 'model/1/model.onnx'],
    ['a configuration', 'a/config.pbtxt', 'model/config.pbtxt'],
  ])('of %s that leads out is refused', (_what, from, to) => {
    mkdirSync(join(outside, 'model/1'), { recursive: true })
    writeFileSync(join(outside, 'model/1/model.onnx'), MLP)
    writeFileSync(join(outside, 'model/config.pbtxt'), '')
    if (from !== 'a' && from !== 'a/1') put('a/1/other', '')
    mkdirSync(dirname(join(folder, from)), { recursive: true })
    symlinkSync(join(outside, to), join(folder, from))
    expect(() => read()).toThrow(refused('repository_link_outside'))
  })

  test('in a circle are refused', () => {
    symlinkSync('a', join(folder, 'a'))
    expect(() => read()).toThrow(refused('repository_unreadable'))
  })

  test('to nothing are nothing', () => {
    symlinkSync('nowhere', join(folder, 'a'))
    expect(() => read()).toThrow(refused('repository_empty'))
  })
})

describe('is refused', () => {
  test('a folder that is not there', () => {
    expect(() => readRepository(join(folder, 'none'), null)).toThrow(refused('repository_unreadable'))
  })

  test('a file for a folder', () => {
    put('file', '')
    expect(() => readRepository(join(folder, 'file'), null)).toThrow(refused('repository_unreadable'))
  })

  test('a folder without a model', () => {
    expect(() => read()).toThrow(refused('repository_empty'))
  })

  test('more models than a subnet has', () => {
    for (let i = 0; i < 65; i += 1) mkdirSync(join(folder, `m${i}`))
    expect(() => read()).toThrow(refused('repository_too_many_models'))
  })

  test.each(['a b', 'ä', 'a'.repeat(65)])('the name %j', (name) => {
    put(`${name}/1/model.onnx`, MLP)
    expect(() => read()).toThrow(refused('repository_name_unsupported'))
  })

  test('a version without its file', () => {
    put('a/1/model.plan', MLP)
    expect(() => read()).toThrow(refused('repository_file_missing'))
  })

  test('a folder for a model', () => {
    put('a/1/model.onnx/model.onnx', MLP)
    expect(() => read()).toThrow(refused('repository_unreadable'))
  })

  test('a model that is too large', () => {
    put('a/1/model.onnx', MLP)
    // A file with a hole takes no disk.
    truncateSync(join(folder, 'a/1/model.onnx'), MAX_MODEL_BYTES + 1)
    expect(() => read()).toThrow(refused('repository_file_too_large'))
  })

  test('a configuration that is too large', () => {
    put('a/1/model.onnx', MLP)
    put('a/config.pbtxt', '#'.repeat(MAX_CONFIG_BYTES))
    expect(read()).toHaveLength(1)
    put('a/config.pbtxt', '#'.repeat(MAX_CONFIG_BYTES + 1))
    expect(() => read()).toThrow(refused('repository_file_too_large'))
  })

  test('a model whose weights are in another file, be it there or not', () => {
    const external = {
      ...tensor('w', 'FP32', [64, 10], new Float32Array()),
      dataLocation: 1,
      externalData: [{ key: 'location', value: 'weights.bin' }],
    }
    const parts = graph('external', {
      input: [valueInfo('x', 'FP32', ['N', 64])],
      output: [valueInfo('y', 'FP32', ['N', 10])],
      initializer: [external],
      node: [node('MatMul', ['x', 'w'], ['y'])],
    })
    put('a/1/model.onnx', encodeModel(model(parts)))
    put('a/1/weights.bin', new Uint8Array(64 * 10 * 4))
    expect(() => read()).toThrow(
      expect.objectContaining({
        code: 'repository_model_refused',
        message: expect.stringContaining('a/1/model.onnx: model_external_data'),
      }),
    )
  })

  test('what is no model', () => {
    put('a/1/model.onnx', 'not a model')
    expect(() => read()).toThrow(refused('repository_model_refused'))
  })
})
