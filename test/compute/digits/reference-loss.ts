import type { Parameter } from '../../../compute/digits/digits-network.ts'

// The digits network once more, in float64 and plain loops, for checking the graph that ONNX Runtime runs.

export type Parameters = Record<Parameter, Float64Array>

/** Mean cross-entropy of rows of 64 pixels against their labels. */
export function referenceLoss(
  parameters: Parameters,
  rows: readonly Float64Array[],
  labels: readonly number[],
): number {
  const losses = rows.map((row, item) => {
    const logits = forward(parameters, row)
    const highest = Math.max(...logits)
    const logSum = highest + Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - highest), 0))
    return logSum - at(logits, labels[item] ?? -1)
  })
  return losses.reduce((sum, loss) => sum + loss, 0) / rows.length
}

function forward({ kernels, kernel_biases, w1, b1, w2, b2 }: Parameters, pixels: Float64Array): Float64Array {
  const features = new Float64Array(16 * 36).map((_, feature) => {
    const [map, y, x] = [Math.floor(feature / 36), Math.floor(feature / 6) % 6, feature % 6]
    let sum = at(kernel_biases, map)
    for (let row = 0; row < 3; row++) {
      for (let column = 0; column < 3; column++) {
        sum += at(kernels, map * 9 + row * 3 + column) * at(pixels, (y + row) * 8 + x + column)
      }
    }
    return Math.max(0, sum)
  })
  return dense(
    dense(features, w1, b1).map((unit) => Math.max(0, unit)),
    w2,
    b2,
  )
}

function dense(inputs: Float64Array, weights: Float64Array, biases: Float64Array): Float64Array {
  return biases.map((bias, unit) =>
    inputs.reduce((sum, input, index) => sum + input * at(weights, index * biases.length + unit), bias),
  )
}

function at(values: Float64Array, index: number): number {
  const value = values[index]
  if (value === undefined) throw new RangeError(`no element ${index}`)
  return value
}
