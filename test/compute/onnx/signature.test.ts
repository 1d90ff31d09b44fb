import { describe, expect, test } from 'vitest'
import { ONNX_TYPE } from '../../../compute/onnx/datatype.ts'
import { node, tensor, valueInfo } from '../../../compute/onnx/graph-builder.ts'
import { ModelError, type ModelProto } from '../../../compute/onnx/model.ts'
import { modelSignature } from '../../../compute/onnx/signature.ts'
import { mlp, unary } from './sample-models.ts'

const identity = (): ModelProto => unary([node('Identity', ['x'], ['y'])], 'FP32', ['N', 3])

describe('modelSignature', () => {
  test('tells names, datatypes, fixed and free dimensions, and the opset', () => {
    expect(modelSignature(mlp())).toEqual({
      inputs: [{ name: 'x', datatype: 'FP32', shape: [null, 64] }],
      outputs: [{ name: 'y', datatype: 'FP32', shape: [null, 10] }],
      opset: 13,
    })
  })

  test.each(Object.keys(ONNX_TYPE) as (keyof typeof ONNX_TYPE)[])('knows %s', (datatype) => {
    const { inputs } = modelSignature(unary([], datatype, [2]))
    expect(inputs).toEqual([{ name: 'x', datatype, shape: [2] }])
  })

  test('leaves out inputs that an initializer fills, as models before IR version 4 list them', () => {
    const model = identity()
    model.graph?.input.push(valueInfo('w', 'FP32', [1]))
    model.graph?.initializer.push(tensor('w', 'FP32', [1], Float32Array.of(1)))
    expect(modelSignature(model).inputs.map(({ name }) => name)).toEqual(['x'])
  })

  test('takes a negative dimension as free and zero as zero', () => {
    expect(modelSignature(unary([], 'FP32', [-1, 0, 5])).inputs[0]?.shape).toEqual([null, 0, 5])
  })

  test('counts the default domain under both of its names, and no other', () => {
    const opset = (opsetImport: ModelProto['opsetImport']) =>
      modelSignature({ ...identity(), opsetImport }).opset
    expect(
      opset([
        { domain: 'com.example', version: 99n },
        { domain: '', version: 11n },
      ]),
    ).toBe(11)
    expect(opset([{ domain: 'ai.onnx', version: 12n }])).toBe(12)
    expect(() => opset([{ domain: 'com.example', version: 99n }])).toThrow(ModelError)
  })

  test.each<[string, (model: ModelProto) => void]>([
    ['no graph', (model) => delete model.graph],
    ['an input without a name', (model) => delete model.graph?.input[0]?.name],
    ['an input without a type', (model) => delete model.graph?.input[0]?.type],
    ['an output without a shape', (model) => delete model.graph?.output[0]?.type?.tensorType?.shape],
    ['a datatype that no bundle carries', (model) => setType(model, 16)],
    ['a dimension above 2^53', (model) => setDimension(model, 2n ** 53n)],
  ])('refuses a model with %s', (_, spoil) => {
    const model = identity()
    spoil(model)
    expect(() => modelSignature(model)).toThrow(ModelError)
  })
})

function setType(model: ModelProto, elemType: number): void {
  Object.assign(model.graph?.input[0]?.type?.tensorType ?? {}, { elemType })
}

function setDimension(model: ModelProto, dimValue: bigint): void {
  Object.assign(model.graph?.input[0]?.type?.tensorType?.shape?.dim[0] ?? {}, { dimValue })
}
