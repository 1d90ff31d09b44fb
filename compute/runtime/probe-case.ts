import { graph, model, node, tensor, valueInfo } from '../onnx/graph-builder.ts'
import { encodeModel } from '../onnx/model.ts'

// A convolution and a product with a known answer, to try a provider on. 129 channels into 128: a WebGPU provider got exactly that wrong.
const CHANNELS = 129
const MAPS = 128
const KERNEL = 3
const IMAGE = 4
const MAP = IMAGE - KERNEL + 1
const ROWS = 4
const INNER = 257
const COLUMNS = 10

/** 13 bits of weight: TF32 and binary16 keep 11 and lose some. All sums stay below 2^24, so FP32 has no excuse. */
const MAX_WEIGHT = 4_095

/** Relative to the outputs' root mean square. TF32 is off by 4e-4; Winograd's transforms, honest FP32, by less than 1e-6. */
const MAX_ERROR = 1e-5

interface ProbeCase {
  model: Uint8Array
  feeds: Record<string, { shape: number[]; data: Float32Array }>
  expected: Record<string, Float32Array>
}

export function probeCase(): ProbeCase {
  const image = bits(CHANNELS * IMAGE * IMAGE)
  const kernels = weights(MAPS * CHANNELS * KERNEL * KERNEL)
  const rows = bits(ROWS * INNER)
  const matrix = weights(INNER * COLUMNS)
  const imageShape = [1, CHANNELS, IMAGE, IMAGE]
  const rowsShape = [ROWS, INNER]
  return {
    model: encodeModel(
      model(
        graph('conformance', {
          input: [valueInfo('image', 'FP32', imageShape), valueInfo('rows', 'FP32', rowsShape)],
          output: [
            valueInfo('maps', 'FP32', [1, MAPS, MAP, MAP]),
            valueInfo('products', 'FP32', [ROWS, COLUMNS]),
          ],
          initializer: [
            tensor('kernels', 'FP32', [MAPS, CHANNELS, KERNEL, KERNEL], kernels),
            tensor('matrix', 'FP32', [INNER, COLUMNS], matrix),
          ],
          node: [
            node('Conv', ['image', 'kernels'], ['maps']),
            node('Gemm', ['rows', 'matrix'], ['products']),
          ],
        }),
      ),
    ),
    feeds: { image: { shape: imageShape, data: image }, rows: { shape: rowsShape, data: rows } },
    expected: { maps: convolve(image, kernels), products: multiply(rows, matrix) },
  }
}

/** null: near enough to be FP32 arithmetic; else the first element that is not. */
export function probeFault(actual: Float32Array, expected: Float32Array): string | null {
  if (actual.length !== expected.length) return `${actual.length} elements, expected ${expected.length}`
  const rms = Math.sqrt(expected.reduce((sum, value) => sum + value * value, 0) / expected.length)
  // Negated, so that a NaN is wrong.
  const wrong = expected.findIndex(
    (value, index) => !(Math.abs((actual[index] ?? NaN) - value) <= MAX_ERROR * rms),
  )
  return wrong === -1 ? null : `element ${wrong} is ${actual[wrong]}, expected ${expected[wrong]}`
}

/** A fixed pattern without a short period. */
const bits = (count: number) =>
  new Float32Array(count).map((_, index) => Number((index * index + index) % 7 < 3))

const weights = (count: number) =>
  new Float32Array(count).map((_, index) => ((index * 7_919) % (2 * MAX_WEIGHT + 1)) - MAX_WEIGHT)

function convolve(image: Float32Array, kernels: Float32Array): Float32Array {
  return new Float32Array(MAPS * MAP * MAP).map((_, output) => {
    const [map, y, x] = [Math.floor(output / (MAP * MAP)), Math.floor(output / MAP) % MAP, output % MAP]
    let sum = 0
    for (let tap = 0; tap < CHANNELS * KERNEL * KERNEL; tap++) {
      const channel = Math.floor(tap / (KERNEL * KERNEL))
      const [row, column] = [y + (Math.floor(tap / KERNEL) % KERNEL), x + (tap % KERNEL)]
      const weight = kernels[map * CHANNELS * KERNEL * KERNEL + tap] ?? 0
      sum += weight * (image[(channel * IMAGE + row) * IMAGE + column] ?? 0)
    }
    return sum
  })
}

function multiply(rows: Float32Array, matrix: Float32Array): Float32Array {
  return new Float32Array(ROWS * COLUMNS).map((_, output) => {
    const [row, column] = [Math.floor(output / COLUMNS), output % COLUMNS]
    let sum = 0
    for (let inner = 0; inner < INNER; inner++) {
      sum += (rows[row * INNER + inner] ?? 0) * (matrix[inner * COLUMNS + column] ?? 0)
    }
    return sum
  })
}
