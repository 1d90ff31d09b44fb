import { describe, expect, test } from 'vitest'
import { admitModel, MAX_MODEL_BYTES, MAX_MODEL_NODES } from '../../../compute/onnx/admission.ts'
import { type AttributeValue, graph, node, tensor, valueInfo } from '../../../compute/onnx/graph-builder.ts'
import { encodeModel, type ModelProto, type TensorProto } from '../../../compute/onnx/model.ts'
import { mlp, unary } from './sample-models.ts'

const external = (): TensorProto => ({
  ...tensor('w', 'FP32', [1], new Float32Array(0)),
  dataLocation: 1,
  externalData: [{ key: 'location', value: '/etc/passwd' }],
})

const withInitializer = (initializer: TensorProto): ModelProto => {
  const model = mlp()
  model.graph?.initializer.push(initializer)
  return model
}

const withAttribute = (opType: string, value: AttributeValue): ModelProto =>
  unary([node(opType, ['x'], ['y'], { value })], 'FP32', ['N'])

const body = graph('body', { input: [], output: [], node: [] })

const refusals: [string, string, () => ModelProto][] = [
  ['model_external_data', 'an initializer in another file', () => withInitializer(external())],
  [
    'model_external_data',
    'a file named without the location flag',
    () => withInitializer({ ...external(), dataLocation: 0 }),
  ],
  [
    'model_external_data',
    'the location flag without a file',
    () => withInitializer({ ...external(), externalData: [] }),
  ],
  [
    'model_external_data',
    'a constant in another file',
    () => withAttribute('Constant', { tensor: external() }),
  ],
  ['model_control_flow', 'Loop', () => withAttribute('Loop', { graph: body })],
  ['model_control_flow', 'Scan', () => withAttribute('Scan', { graph: body })],
  ['model_control_flow', 'If', () => withAttribute('If', { graph: body })],
  ['model_functions', 'functions', () => ({ ...mlp(), functions: [{ name: 'f' }] })],
  ['model_opset_unsupported', 'opset 6', () => ({ ...mlp(), opsetImport: [{ version: 6n }] })],
  [
    'model_too_large',
    'one node too many',
    () => unary(new Array(MAX_MODEL_NODES + 1).fill(node('Relu', ['x'], ['y'])), 'FP32', ['N']),
  ],
  [
    'model_too_large',
    'one input too many',
    () => {
      const model = mlp()
      for (let index = 0; index < 64; index++) model.graph?.input.push(valueInfo(`i${index}`, 'FP32', [1]))
      return model
    },
  ],
  [
    'model_sparse',
    'a sparse initializer',
    () => {
      const model = mlp()
      model.graph?.sparseInitializer.push({ values: external() })
      return model
    },
  ],
  [
    'model_sparse',
    'a sparse constant',
    () => {
      const constant = node('Constant', [], ['y'], { sparse_value: 0n })
      Object.assign(constant.attribute[0] ?? {}, { sparseTensor: { values: external() } })
      return unary([constant], 'FP32', ['N'])
    },
  ],
  ['model_malformed', 'no graph', () => ({ opsetImport: [{ version: 13n }], functions: [] })],
]

describe('admitModel', () => {
  test('takes a plain model and tells its signature', () => {
    const { model, signature } = admitModel(encodeModel(mlp()))
    expect(model.graph?.node).toHaveLength(3)
    expect(signature.inputs[0]?.name).toBe('x')
  })

  test('takes opset 7', () => {
    const model = { ...mlp(), opsetImport: [{ version: 7n }] }
    expect(admitModel(encodeModel(model)).signature.opset).toBe(7)
  })

  test.each(refusals)('refuses with %s: %s', (code, _, build) => {
    expect(() => admitModel(encodeModel(build()))).toThrow(expect.objectContaining({ code }))
  })

  test('refuses bytes that are no model', () => {
    expect(() => admitModel(Buffer.from('no model'))).toThrow(
      expect.objectContaining({ code: 'model_malformed' }),
    )
  })

  test('refuses a file above the limit before it reads it', () => {
    const tooLarge = Buffer.allocUnsafe(MAX_MODEL_BYTES + 1)
    expect(() => admitModel(tooLarge)).toThrow(expect.objectContaining({ code: 'model_too_large' }))
  })
})
