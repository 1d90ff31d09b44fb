import { node, tensor } from '../onnx/graph-builder.ts'
import type { NodeProto, TensorProto } from '../onnx/model.ts'
import type { Datatype } from '../work/tensor-bundle.ts'
import type { RandomDatatype } from './random-tensor.ts'

/** A case as it is written down: its numbers are drawn, its model is built around it. */
export interface DescribedCase {
  name: string
  /** Named `x`, `y`, … in this order. */
  inputs: [datatype: RandomDatatype, shape: number[]][]
  weights?: Record<string, [datatype: RandomDatatype, shape: number[]]>
  constants?: TensorProto[]
  nodes: NodeProto[]
  /** Output `out`. */
  out: [datatype: Datatype, shape: number[]]
}

const ints = (...values: number[]) => values.map(BigInt)
const axes = (name: string, ...values: number[]) =>
  tensor(name, 'INT64', [values.length], BigInt64Array.from(ints(...values)))

/** In shapes that kernels get wrong. */
export const OPERATORS: readonly DescribedCase[] = [
  {
    // A WebGPU provider got exactly this wrong, and 128 or 130 channels right.
    name: 'Conv 129→128, 3×3',
    inputs: [['FP32', [1, 129, 6, 5]]],
    weights: { w: ['FP32', [128, 129, 3, 3]] },
    nodes: [node('Conv', ['x', 'w'], ['out'], { pads: ints(1, 1, 1, 1) })],
    out: ['FP32', [1, 128, 6, 5]],
  },
  {
    name: 'Conv in 3 groups, stride 2, dilation 2',
    inputs: [['FP32', [2, 9, 17, 13]]],
    weights: { w: ['FP32', [15, 3, 3, 3]], b: ['FP32', [15]] },
    nodes: [
      node('Conv', ['x', 'w', 'b'], ['out'], {
        group: 3n,
        strides: ints(2, 2),
        dilations: ints(2, 2),
        pads: ints(2, 1, 2, 1),
      }),
    ],
    out: ['FP32', [2, 15, 9, 6]],
  },
  {
    name: 'Conv of each channel alone, 5×5',
    inputs: [['FP32', [1, 33, 11, 7]]],
    weights: { w: ['FP32', [33, 1, 5, 5]] },
    nodes: [node('Conv', ['x', 'w'], ['out'], { group: 33n, pads: ints(2, 2, 2, 2) })],
    out: ['FP32', [1, 33, 11, 7]],
  },
  {
    name: 'Conv 1×1, 65→31',
    inputs: [['FP32', [3, 65, 3, 7]]],
    weights: { w: ['FP32', [31, 65, 1, 1]] },
    nodes: [node('Conv', ['x', 'w'], ['out'])],
    out: ['FP32', [3, 31, 3, 7]],
  },
  {
    name: 'Conv over one axis, 40→20, 9',
    inputs: [['FP32', [1, 40, 101]]],
    weights: { w: ['FP32', [20, 40, 9]] },
    nodes: [node('Conv', ['x', 'w'], ['out'])],
    out: ['FP32', [1, 20, 93]],
  },
  {
    name: 'ConvTranspose 17→5, 4×4, stride 2',
    inputs: [['FP32', [1, 17, 5, 3]]],
    weights: { w: ['FP32', [17, 5, 4, 4]] },
    nodes: [node('ConvTranspose', ['x', 'w'], ['out'], { strides: ints(2, 2), pads: ints(1, 1, 1, 1) })],
    out: ['FP32', [1, 5, 10, 6]],
  },
  {
    name: 'Gemm of 257 terms, transposed',
    inputs: [['FP32', [5, 257]]],
    weights: { w: ['FP32', [131, 257]], b: ['FP32', [131]] },
    nodes: [node('Gemm', ['x', 'w', 'b'], ['out'], { transB: 1n, alpha: 0.5 })],
    out: ['FP32', [5, 131]],
  },
  {
    name: 'MatMul of stacks, 33 terms',
    inputs: [
      ['FP32', [3, 1, 17, 33]],
      ['FP32', [5, 33, 9]],
    ],
    nodes: [node('MatMul', ['x', 'y'], ['out'])],
    out: ['FP32', [3, 5, 17, 9]],
  },
  {
    name: 'Softmax of 1,001',
    inputs: [['FP32', [3, 1_001]]],
    nodes: [node('Softmax', ['x'], ['out'], { axis: -1n })],
    out: ['FP32', [3, 1_001]],
  },
  {
    name: 'ReduceMean, Sub, Mul, Sqrt, Div (a layer norm of 97)',
    inputs: [['FP32', [7, 97]]],
    constants: [tensor('epsilon', 'FP32', [1], Float32Array.of(1e-5))],
    nodes: [
      node('ReduceMean', ['x'], ['mean'], { axes: ints(-1) }),
      node('Sub', ['x', 'mean'], ['centred']),
      node('Mul', ['centred', 'centred'], ['squares']),
      node('ReduceMean', ['squares'], ['variance'], { axes: ints(-1) }),
      node('Add', ['variance', 'epsilon'], ['positive']),
      node('Sqrt', ['positive'], ['deviation']),
      node('Div', ['centred', 'deviation'], ['out']),
    ],
    out: ['FP32', [7, 97]],
  },
  {
    name: 'MaxPool 3×3, stride 2',
    inputs: [['FP32', [2, 3, 15, 11]]],
    nodes: [
      node('MaxPool', ['x'], ['out'], {
        kernel_shape: ints(3, 3),
        strides: ints(2, 2),
        pads: ints(1, 1, 1, 1),
      }),
    ],
    out: ['FP32', [2, 3, 8, 6]],
  },
  {
    name: 'AveragePool 3×2, padding left out',
    inputs: [['FP32', [1, 5, 9, 7]]],
    nodes: [node('AveragePool', ['x'], ['out'], { kernel_shape: ints(3, 2), pads: ints(1, 1, 1, 0) })],
    out: ['FP32', [1, 5, 9, 7]],
  },
  {
    name: 'Erf, Tanh, Sigmoid, Exp, Log',
    inputs: [['FP32', [1, 1_023]]],
    nodes: [
      node('Erf', ['x'], ['erf']),
      node('Tanh', ['erf'], ['tanh']),
      node('Exp', ['tanh'], ['exp']),
      node('Log', ['exp'], ['log']),
      node('Sigmoid', ['log'], ['out']),
    ],
    out: ['FP32', [1, 1_023]],
  },
  {
    name: 'Transpose, Slice, Concat of odd shapes',
    inputs: [['FP32', [3, 5, 7]]],
    constants: [axes('from', 1, -1), axes('to', 7, -6), axes('over', 0, 2), axes('by', 2, -2)],
    nodes: [
      node('Transpose', ['x'], ['turned'], { perm: ints(2, 0, 1) }),
      node('Slice', ['turned', 'from', 'to', 'over', 'by'], ['sliced']),
      node('Concat', ['sliced', 'sliced'], ['out'], { axis: 1n }),
    ],
    out: ['FP32', [3, 6, 3]],
  },
  {
    name: 'Add, Mul, Sub of INT64 beyond 53 bits',
    inputs: [
      ['INT64', [5, 7]],
      ['INT64', [7]],
    ],
    nodes: [
      node('Mul', ['x', 'y'], ['product']),
      node('Add', ['product', 'x'], ['sum']),
      node('Sub', ['sum', 'y'], ['out']),
    ],
    out: ['INT64', [5, 7]],
  },
  {
    name: 'ArgMax of 1,001, to INT64',
    inputs: [['FP32', [9, 1_001]]],
    nodes: [node('ArgMax', ['x'], ['out'], { axis: -1n, keepdims: 0n })],
    out: ['INT64', [9]],
  },
  {
    name: 'Gather by INT64, from behind too',
    inputs: [['FP32', [11, 3]]],
    constants: [axes('places', 10, 0, -1, -11, 5)],
    nodes: [node('Gather', ['x', 'places'], ['out'])],
    out: ['FP32', [5, 3]],
  },
  {
    name: 'Greater, to BOOL',
    inputs: [
      ['FP32', [3, 129]],
      ['FP32', [129]],
    ],
    nodes: [node('Greater', ['x', 'y'], ['out'])],
    out: ['BOOL', [3, 129]],
  },
  {
    name: 'Conv in FP16, 17→9, 3×3',
    inputs: [['FP16', [1, 17, 5, 7]]],
    weights: { w: ['FP16', [9, 17, 3, 3]] },
    nodes: [node('Conv', ['x', 'w'], ['out'])],
    out: ['FP16', [1, 9, 3, 5]],
  },
  {
    name: 'MatMul in FP16, 65 terms',
    inputs: [['FP16', [3, 65]]],
    weights: { w: ['FP16', [65, 33]] },
    nodes: [node('MatMul', ['x', 'w'], ['out'])],
    out: ['FP16', [3, 33]],
  },
  {
    name: 'Conv, Relu, MaxPool, Gemm, Softmax (a small classifier)',
    inputs: [['FP32', [3, 1, 28, 28]]],
    weights: {
      w1: ['FP32', [8, 1, 5, 5]],
      b1: ['FP32', [8]],
      w2: ['FP32', [10, 1_152]],
      b2: ['FP32', [10]],
    },
    nodes: [
      node('Conv', ['x', 'w1', 'b1'], ['maps']),
      node('Relu', ['maps'], ['kept']),
      node('MaxPool', ['kept'], ['pooled'], { kernel_shape: ints(2, 2), strides: ints(2, 2) }),
      node('Flatten', ['pooled'], ['features']),
      node('Gemm', ['features', 'w2', 'b2'], ['logits'], { transB: 1n }),
      node('Softmax', ['logits'], ['out'], { axis: -1n }),
    ],
    out: ['FP32', [3, 10]],
  },
]
