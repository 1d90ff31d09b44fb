import { describe, expect, test } from 'vitest'
import { digitsModel, PARAMETER_SHAPES } from '../../../compute/digits/digits-network.ts'
import { graph, model, node, tensor, valueInfo } from '../../../compute/onnx/graph-builder.ts'
import { encodeModel } from '../../../compute/onnx/model.ts'
import { modelMacs } from '../../../compute/runtime/model-macs.ts'
import { mlp, unary, wavyFloats } from '../onnx/sample-models.ts'

const zeros = (name: keyof typeof PARAMETER_SHAPES) =>
  new Float32Array(PARAMETER_SHAPES[name].reduce((product: number, size) => product * size, 1))

describe('modelMacs', () => {
  test('a multilayer perceptron: inputs × hidden + hidden × classes', async () => {
    expect(await modelMacs(encodeModel(mlp()))).toBe(64n * 128n + 128n * 10n)
  })

  test('a convolution, whose shapes the file does not say', async () => {
    const digits = digitsModel({
      kernels: zeros('kernels'),
      kernel_biases: zeros('kernel_biases'),
      w1: zeros('w1'),
      b1: zeros('b1'),
      w2: zeros('w2'),
      b2: zeros('b2'),
    })
    expect(await modelMacs(digits)).toBe(16n * 36n * 9n + 576n * 128n + 128n * 10n)
  })

  test('a product of two inputs, and a graph whose output is its own operand', async () => {
    const product = model(
      graph('product', {
        input: [valueInfo('a', 'FP32', ['N', 5, 7]), valueInfo('b', 'FP32', ['N', 7, 3])],
        output: [valueInfo('ab', 'FP32', ['N', 5, 3]), valueInfo('abw', 'FP32', ['N', 5, 2])],
        initializer: [tensor('w', 'FP32', [3, 2], wavyFloats(6))],
        node: [node('MatMul', ['a', 'b'], ['ab']), node('MatMul', ['ab', 'w'], ['abw'])],
      }),
    )
    expect(await modelMacs(encodeModel(product))).toBe(5n * 3n * 7n + 5n * 2n * 3n)
  })

  test('one per element where nothing is multiplied', async () => {
    expect(await modelMacs(encodeModel(unary([node('Relu', ['x'], ['y'])], 'FP32', ['N', 6])))).toBe(6n)
  })

  test('refuses what admission refuses, and what ONNX Runtime does', async () => {
    await expect(modelMacs(Buffer.from('junk'))).rejects.toMatchObject({ code: 'model_malformed' })
    const unknown = unary([node('NoSuchOperator', ['x'], ['y'])], 'FP32', ['N'])
    await expect(modelMacs(encodeModel(unknown))).rejects.toMatchObject({ code: 'model_refused' })
  })
})
