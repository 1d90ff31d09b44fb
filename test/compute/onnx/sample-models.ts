import { graph, model, node, tensor, valueInfo } from '../../../compute/onnx/graph-builder.ts'
import { encodeModel, type ModelProto, type NodeProto } from '../../../compute/onnx/model.ts'

/** Without a pattern that a wrong order of axes would leave unchanged. */
export function wavyFloats(count: number): Float32Array {
  return new Float32Array(count).map((_, index) => Math.sin(index * 1.7 + 0.3))
}

/** x FP32 [N, 64] → y FP32 [N, 10] through 128 hidden units. */
export function mlp(): ModelProto {
  return model(
    graph('mlp', {
      input: [valueInfo('x', 'FP32', ['N', 64])],
      output: [valueInfo('y', 'FP32', ['N', 10])],
      initializer: [
        tensor('w1', 'FP32', [64, 128], wavyFloats(64 * 128)),
        tensor('b1', 'FP32', [128], wavyFloats(128)),
        tensor('w2', 'FP32', [128, 10], wavyFloats(128 * 10)),
        tensor('b2', 'FP32', [10], wavyFloats(10)),
      ],
      node: [
        node('Gemm', ['x', 'w1', 'b1'], ['preactivation']),
        node('Relu', ['preactivation'], ['hidden']),
        node('Gemm', ['hidden', 'w2', 'b2'], ['y']),
      ],
    }),
  )
}

/** x FP32 [N, 4] → y FP32 [1, 4]: a row for all rows, of which nobody can tell whose it is. */
export function total(): ModelProto {
  return model(
    graph('total', {
      input: [valueInfo('x', 'FP32', ['N', 4])],
      output: [valueInfo('y', 'FP32', [1, 4])],
      initializer: [tensor('axes', 'INT64', [1], BigInt64Array.of(0n))],
      node: [node('ReduceSum', ['x', 'axes'], ['y'])],
    }),
  )
}

/** y = x through the given operator: one input, one output, one datatype. */
export function unary(
  nodes: NodeProto[],
  datatype: Parameters<typeof valueInfo>[1],
  shape: (number | string)[],
): ModelProto {
  return model(
    graph('unary', {
      input: [valueInfo('x', datatype, shape)],
      output: [valueInfo('y', datatype, shape)],
      node: nodes,
    }),
  )
}

/** Zeros of the given shape multiplied by themselves 200 times: of [2, 2] some 0.2 ms, of [2048, 2048] a minute of one core or more. */
export function workByShape(): Uint8Array {
  const steps = Array.from({ length: 200 }, (_, step) =>
    node('MatMul', [step === 0 ? 'zeros' : `t${step}`, 'zeros'], [step === 199 ? 'y' : `t${step + 1}`]),
  )
  return encodeModel(
    model(
      graph('byShape', {
        input: [valueInfo('x', 'INT64', [2])],
        output: [valueInfo('y', 'FP32', ['N', 'N'])],
        node: [node('ConstantOfShape', ['x'], ['zeros']), ...steps],
      }),
    ),
  )
}

/** x FP32 [side, side] multiplied by itself 2,000 times: of 1,024 a minute of one core or more. */
export function longWork(side: number | string = 1_024): Uint8Array {
  const steps = Array.from({ length: 2_000 }, (_, step) => {
    const input = step === 0 ? 'x' : `t${step}`
    return node('MatMul', [input, 'x'], [step === 1_999 ? 'y' : `t${step + 1}`])
  })
  return encodeModel(unary(steps, 'FP32', [side, side]))
}
