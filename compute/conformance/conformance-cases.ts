import type { TolerantBounds } from '../compare/tolerant.ts'
import { CLASSES, PIXELS } from '../digits/load-digits.ts'
import { graph, model, node, tensor, valueInfo } from '../onnx/graph-builder.ts'
import { encodeModel } from '../onnx/model.ts'
import { encodeTensorBundle } from '../work/tensor-bundle.ts'
import { type DescribedCase, OPERATORS } from './conformance-operators.ts'
import { randomArray } from './random-tensor.ts'
import { trainDigitsPlainly } from './trained-digits.ts'

/** One operator, a few that stand together, or a trained network, in shapes that kernels get wrong. */
export interface ConformanceCase {
  /** For people: the operator first. */
  readonly name: string
  readonly model: Uint8Array
  /** Tensor bundle. */
  readonly inputs: Uint8Array
  readonly bounds: TolerantBounds
}

const INPUT_NAMES = ['x', 'y', 'z']

/** Of max(|number|, rms). FP32 in another order stays below 1e-5; TF32 and binary16, of 10 bits of fraction, don't stay below 1e-4. */
const FP32_RTOL = 1e-4

/** Sums of binary16 may be held in binary16, too. */
const FP16_RTOL = 2e-2

export function conformanceCases(): ConformanceCase[] {
  return [...OPERATORS.map(built), digitsNetwork()]
}

function built({
  name,
  inputs,
  weights = {},
  constants = [],
  nodes,
  out: [datatype, shape],
}: DescribedCase): ConformanceCase {
  const named = inputs.map(([type, dims], place) => ({
    name: INPUT_NAMES[place] ?? '',
    datatype: type,
    shape: dims,
  }))
  const initializer = Object.entries(weights).map(([weight, [type, dims]]) =>
    tensor(weight, type, dims, randomArray(`${name} ${weight}`, type, elementsOf(dims))),
  )
  const rtol = datatype === 'FP16' ? FP16_RTOL : FP32_RTOL
  return {
    name,
    model: encodeModel(
      model(
        graph('conformance', {
          input: named.map((one) => valueInfo(one.name, one.datatype, one.shape)),
          output: [valueInfo('out', datatype, shape)],
          initializer: [...initializer, ...constants],
          node: nodes,
        }),
      ),
    ),
    inputs: encodeTensorBundle(
      named.map((one) => {
        const { buffer } = randomArray(`${name} ${one.name}`, one.datatype, elementsOf(one.shape))
        return { ...one, data: new Uint8Array(buffer) }
      }),
    ),
    bounds: { out: { atol: 0, rtol, top: null } },
  }
}

/** What all of it is for: each decision among ten numbers has to be the same. */
function digitsNetwork(): ConformanceCase {
  const { weights, inputs, labels } = trainDigitsPlainly()
  const { w1, b1, w2, b2 } = weights
  const shape = [labels.length, PIXELS]
  return {
    name: 'a network trained on digits: Gemm, Relu, Gemm',
    model: encodeModel(
      model(
        graph('conformance', {
          input: [valueInfo('x', 'FP32', shape)],
          output: [valueInfo('out', 'FP32', [labels.length, CLASSES])],
          initializer: [
            tensor('w1', 'FP32', [PIXELS, b1.length], w1),
            tensor('b1', 'FP32', [b1.length], b1),
            tensor('w2', 'FP32', [b1.length, CLASSES], w2),
            tensor('b2', 'FP32', [CLASSES], b2),
          ],
          node: [
            node('Gemm', ['x', 'w1', 'b1'], ['sums']),
            node('Relu', ['sums'], ['hidden']),
            node('Gemm', ['hidden', 'w2', 'b2'], ['out']),
          ],
        }),
      ),
    ),
    inputs: encodeTensorBundle([{ name: 'x', datatype: 'FP32', shape, data: new Uint8Array(inputs.buffer) }]),
    bounds: { out: { atol: 0, rtol: FP32_RTOL, top: { count: 1, tie: 2 * FP32_RTOL } } },
  }
}

const elementsOf = (shape: readonly number[]) => shape.reduce((product, size) => product * size, 1)
