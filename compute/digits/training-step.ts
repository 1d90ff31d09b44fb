import { graph, model, node, tensor, valueInfo } from '../onnx/graph-builder.ts'
import { encodeModel, type NodeProto } from '../onnx/model.ts'
import { forwardNodes, PARAMETER_SHAPES, PARAMETERS, type Parameter, reshapes } from './digits-network.ts'
import { CLASSES, PIXELS } from './load-digits.ts'

const MOMENTUM = 0.9
const WEIGHT_DECAY = 5e-4

/** Swaps items and channels: the gradient of a kernel is the convolution of its input with its output's gradient. */
const SWAPPED = { perm: [1n, 0n, 2n, 3n] }

/** The mean cross-entropy of softmax(z) against the one-hot rows y, and its gradients by the chain rule. */
function backwardNodes(): NodeProto[] {
  return [
    node('LogSoftmax', ['z'], ['log_p'], { axis: 1n }),
    node('Mul', ['y', 'log_p'], ['picked']),
    node('ReduceSum', ['picked'], ['log_likelihood'], { keepdims: 0n }),
    node('Mul', ['log_likelihood', 'minus_per_item'], ['loss']),

    node('Softmax', ['z'], ['p'], { axis: 1n }),
    node('Sub', ['y', 'p'], ['y_minus_p']),
    node('Mul', ['y_minus_p', 'minus_per_item'], ['d_z']),
    node('Gemm', ['hidden', 'd_z'], ['d_w2'], { transA: 1n }),
    node('ReduceSum', ['d_z', 'items_axis'], ['d_b2'], { keepdims: 0n }),

    node('Gemm', ['d_z', 'w2'], ['d_hidden'], { transB: 1n }),
    node('Greater', ['preactivation', 'zero'], ['hidden_active']),
    node('Where', ['hidden_active', 'd_hidden', 'zero'], ['d_preactivation']),
    node('Gemm', ['features', 'd_preactivation'], ['d_w1'], { transA: 1n }),
    node('ReduceSum', ['d_preactivation', 'items_axis'], ['d_b1'], { keepdims: 0n }),

    node('Gemm', ['d_preactivation', 'w1'], ['d_features'], { transB: 1n }),
    node('Reshape', ['d_features', 'as_maps'], ['d_maps']),
    node('Greater', ['convolved', 'zero'], ['map_active']),
    node('Where', ['map_active', 'd_maps', 'zero'], ['d_convolved']),
    node('Transpose', ['images'], ['images_swapped'], SWAPPED),
    node('Transpose', ['d_convolved'], ['d_convolved_swapped'], SWAPPED),
    node('Conv', ['images_swapped', 'd_convolved_swapped'], ['d_kernels_swapped']),
    node('Transpose', ['d_kernels_swapped'], ['d_kernels'], SWAPPED),
    node('ReduceSum', ['d_convolved', 'all_but_map_axis'], ['d_kernel_biases'], { keepdims: 0n }),
  ]
}

/** v′ = momentum·v + gradient + decay·w; w′ = w − rate·v′. */
function updateNodes(name: Parameter): NodeProto[] {
  return [
    node('Mul', [`${name}_velocity`, 'momentum'], [`${name}_kept`]),
    node('Mul', [name, 'decay'], [`${name}_decay`]),
    node('Add', [`d_${name}`, `${name}_decay`], [`${name}_slope`]),
    node('Add', [`${name}_kept`, `${name}_slope`], [`${name}_velocity_next`]),
    node('Mul', [`${name}_velocity_next`, 'rate'], [`${name}_step`]),
    node('Sub', [name, `${name}_step`], [`${name}_next`]),
  ]
}

/**
 * One step of gradient descent with momentum as a plain ONNX graph. Inputs: x [items, 64] of 0 to 1, y [items, 10] one-hot, rate [], and each
 * parameter with its velocity. Outputs: loss [], each gradient d_<parameter>, <parameter>_next and <parameter>_velocity_next.
 */
export function trainingStep(items: number): Uint8Array {
  const scalar = (name: string, value: number) => tensor(name, 'FP32', [], Float32Array.of(value))
  const value = (name: string, shape: readonly number[]) => valueInfo(name, 'FP32', shape)
  const each = (names: (name: Parameter) => string[]) =>
    PARAMETERS.flatMap((name) => names(name).map((one) => value(one, PARAMETER_SHAPES[name])))
  return encodeModel(
    model(
      graph('training_step', {
        input: [
          value('x', [items, PIXELS]),
          value('y', [items, CLASSES]),
          value('rate', []),
          ...each((name) => [name, `${name}_velocity`]),
        ],
        output: [
          value('loss', []),
          ...each((name) => [`d_${name}`, `${name}_next`, `${name}_velocity_next`]),
        ],
        initializer: [
          scalar('zero', 0),
          scalar('momentum', MOMENTUM),
          scalar('decay', WEIGHT_DECAY),
          scalar('minus_per_item', -1 / items),
          tensor('items_axis', 'INT64', [1], BigInt64Array.of(0n)),
          tensor('all_but_map_axis', 'INT64', [3], BigInt64Array.of(0n, 2n, 3n)),
          ...reshapes(),
        ],
        node: [...forwardNodes('x', 'z'), ...backwardNodes(), ...PARAMETERS.flatMap(updateNodes)],
      }),
    ),
  )
}
