import { graph, model, node, tensor, valueInfo } from '../onnx/graph-builder.ts'
import { encodeModel, type NodeProto, type TensorProto } from '../onnx/model.ts'
import { CLASSES, MAX_PIXEL, PIXELS } from './load-digits.ts'

const SIDE = 8
const KERNEL_SIDE = 3
const MAPS = 16
/** 3×3 kernels without padding leave 6×6. */
const MAP_SIDE = SIDE - KERNEL_SIDE + 1
const FEATURES = MAPS * MAP_SIDE * MAP_SIDE
const HIDDEN = 128

/** What is learned. Weights start at random, biases at zero. */
export const PARAMETER_SHAPES = {
  kernels: [MAPS, 1, KERNEL_SIDE, KERNEL_SIDE],
  kernel_biases: [MAPS],
  w1: [FEATURES, HIDDEN],
  b1: [HIDDEN],
  w2: [HIDDEN, CLASSES],
  b2: [CLASSES],
} as const

export type Parameter = keyof typeof PARAMETER_SHAPES
export const PARAMETERS = Object.keys(PARAMETER_SHAPES) as Parameter[]

/** Shapes for Reshape; −1 stands for the number of items. */
export function reshapes(): TensorProto[] {
  return [
    tensor('as_images', 'INT64', [4], BigInt64Array.of(-1n, 1n, BigInt(SIDE), BigInt(SIDE))),
    tensor('as_maps', 'INT64', [4], BigInt64Array.of(-1n, BigInt(MAPS), BigInt(MAP_SIDE), BigInt(MAP_SIDE))),
    tensor('as_features', 'INT64', [2], BigInt64Array.of(-1n, BigInt(FEATURES))),
  ]
}

/** Pixels [items, 64] → logits [items, 10]: 16 convolved maps, ReLU, 128 hidden units, ReLU, one logit per digit. */
export function forwardNodes(pixels: string, logits: string): NodeProto[] {
  return [
    node('Reshape', [pixels, 'as_images'], ['images']),
    node('Conv', ['images', 'kernels', 'kernel_biases'], ['convolved']),
    node('Relu', ['convolved'], ['maps']),
    node('Reshape', ['maps', 'as_features'], ['features']),
    node('Gemm', ['features', 'w1', 'b1'], ['preactivation']),
    node('Relu', ['preactivation'], ['hidden']),
    node('Gemm', ['hidden', 'w2', 'b2'], [logits]),
  ]
}

/**
 * The model to publish: input `pixels` FP32 [N, 64] of 0 to 16, output `logits` FP32 [N, 10]. Training sees pixels of 0 to 1; the factor
 * goes into the kernels, where division by 16 loses no bit.
 */
export function digitsModel(parameters: Record<Parameter, Float32Array>): Uint8Array {
  const learned = { ...parameters, kernels: parameters.kernels.map((weight) => weight / MAX_PIXEL) }
  return encodeModel(
    model(
      graph('digits', {
        input: [valueInfo('pixels', 'FP32', ['N', PIXELS])],
        output: [valueInfo('logits', 'FP32', ['N', CLASSES])],
        initializer: [
          ...PARAMETERS.map((name) => tensor(name, 'FP32', PARAMETER_SHAPES[name], learned[name])),
          ...reshapes().filter(({ name }) => name !== 'as_maps'),
        ],
        node: forwardNodes('pixels', 'logits'),
      }),
    ),
  )
}
