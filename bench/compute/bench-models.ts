import { graph, model, node, tensor, valueInfo } from '../../compute/onnx/graph-builder.ts'
import { encodeModel } from '../../compute/onnx/model.ts'

export interface BenchModel {
  readonly name: string
  readonly file: Uint8Array
  readonly input: string
  /** Of one item, without the batch. */
  readonly shape: readonly number[]
  readonly unitsPerItem: number
}

/** Weights that neither vanish nor grow from layer to layer; no two alike for a while. */
function weights(count: number, fanIn: number): Float32Array {
  const scale = Math.sqrt(3 / fanIn)
  return new Float32Array(count).map((_, i) => (((i * 7_919) % 2_003) / 1_001 - 1) * scale)
}

/** The multilayer perceptron 784-512-512-10 with ReLU, as TRAPS and many a first benchmark have it. */
export function mlp(): BenchModel {
  const sizes = [784, 512, 512, 10] as const
  const layers = sizes.slice(1).map((columns, i) => ({ rows: sizes[i] ?? 0, columns }))
  const last = layers.length - 1
  const file = encodeModel(
    model(
      graph('mlp', {
        input: [valueInfo('x', 'FP32', ['N', sizes[0]])],
        output: [valueInfo(`y${last}`, 'FP32', ['N', sizes[3]])],
        initializer: layers.flatMap(({ rows, columns }, i) => [
          tensor(`w${i}`, 'FP32', [rows, columns], weights(rows * columns, rows)),
          tensor(`b${i}`, 'FP32', [columns], weights(columns, columns)),
        ]),
        node: layers.flatMap((_, i) => [
          node('Gemm', [i === 0 ? 'x' : `r${i - 1}`, `w${i}`, `b${i}`], [`y${i}`]),
          ...(i === last ? [] : [node('Relu', [`y${i}`], [`r${i}`])]),
        ]),
      }),
    ),
  )
  const unitsPerItem = layers.reduce((sum, { rows, columns }) => sum + rows * columns, 0)
  return { name: 'mlp', file, input: 'x', shape: [sizes[0]], unitsPerItem }
}

/** A convolutional net of about 0.6 ms an item on one core of a virtual Intel Xeon of 2.7 GHz. */
export function convNet(): BenchModel {
  const [side, maps, kernel] = [28, 38, 3] as const
  const channels = [1, maps, maps] as const
  const file = encodeModel(
    model(
      graph('conv', {
        input: [valueInfo('x', 'FP32', ['N', 1, side, side])],
        output: [valueInfo('y', 'FP32', ['N', maps, 1, 1])],
        initializer: channels.map((from, i) => {
          const shape = [maps, from, kernel, kernel]
          return tensor(`k${i}`, 'FP32', shape, weights(maps * from * kernel ** 2, from * kernel ** 2))
        }),
        node: [
          ...channels.flatMap((_, i) => [
            node('Conv', [i === 0 ? 'x' : `r${i - 1}`, `k${i}`], [`c${i}`], { pads: [1n, 1n, 1n, 1n] }),
            node('Relu', [`c${i}`], [`r${i}`]),
          ]),
          node('GlobalAveragePool', [`r${channels.length - 1}`], ['y']),
        ],
      }),
    ),
  )
  const unitsPerItem = channels.reduce((sum, from) => sum + side ** 2 * maps * from * kernel ** 2, 0)
  return { name: 'conv', file, input: 'x', shape: [1, side, side], unitsPerItem }
}

/** y = x: nothing but the way there and back. */
export function trivial(): BenchModel {
  const file = encodeModel(
    model(
      graph('trivial', {
        input: [valueInfo('x', 'FP32', ['N', 2])],
        output: [valueInfo('y', 'FP32', ['N', 2])],
        node: [node('Identity', ['x'], ['y'])],
      }),
    ),
  )
  return { name: 'trivial', file, input: 'x', shape: [2], unitsPerItem: 1 }
}

/** Rows that differ, the same at each call. */
export function inputRows({ shape }: BenchModel, rows: number): Float32Array {
  const elements = rows * shape.reduce((product, size) => product * size, 1)
  return new Float32Array(elements).map((_, i) => ((i * 31) % 257) / 257)
}
