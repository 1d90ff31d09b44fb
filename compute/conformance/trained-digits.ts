import { CLASSES, loadDigits, MAX_PIXEL, PIXELS, TRAINING_ROWS } from '../digits/load-digits.ts'
import { seededRandom } from '../work/seeded-random.ts'

const HIDDEN = 16
const EPOCHS = 5
const RATE = 0.05

/** A small network as training leaves it: its weights are not those of a pattern, and its numbers decide. */
interface TrainedDigits {
  /** [64, 16], [16], [16, 10], [10]. */
  readonly weights: Readonly<Record<'w1' | 'b1' | 'w2' | 'b2', Float32Array>>
  /** [600, 64] of 0 to 1: the digits that it has not seen. */
  readonly inputs: Float32Array
  /** What they show, as whoever wrote them said. */
  readonly labels: readonly number[]
}

/** Gradient descent on cross-entropy, a row at a time, by JavaScript alone: what is tried must not have made what it is tried with. */
export function trainDigitsPlainly(): TrainedDigits {
  const digits = loadDigits()
  const random = seededRandom('conformance digits')
  const drawn = (count: number, inputs: number) =>
    Float32Array.from({ length: count }, () => Math.sqrt(6 / inputs) * (2 * random() - 1))
  const w1 = drawn(PIXELS * HIDDEN, PIXELS)
  const w2 = drawn(HIDDEN * CLASSES, HIDDEN)
  const b1 = new Float32Array(HIDDEN)
  const b2 = new Float32Array(CLASSES)
  const rows = digits.pixels.map((pixels) => pixels.map((pixel) => pixel / MAX_PIXEL))

  for (let step = 0; step < EPOCHS * TRAINING_ROWS; step++) {
    const row = step % TRAINING_ROWS
    const x = rows[row] ?? new Float32Array(PIXELS)
    const hidden = affine(x, w1, b1).map((sum) => Math.max(sum, 0))
    const slopes = softmax(affine(hidden, w2, b2)).map((p, digit) => p - Number(digit === digits.labels[row]))
    const hiddenSlopes = hidden.map((value, unit) =>
      value > 0
        ? slopes.reduce((sum, slope, digit) => sum + slope * (w2[unit * CLASSES + digit] ?? 0), 0)
        : 0,
    )
    descend(hidden, slopes, w2, b2)
    descend(x, hiddenSlopes, w1, b1)
  }
  return {
    weights: { w1, b1, w2, b2 },
    inputs: Float32Array.from(rows.slice(TRAINING_ROWS).flatMap((row) => [...row])),
    labels: digits.labels.slice(TRAINING_ROWS),
  }
}

/** x · w + b, w by rows. */
function affine(x: Float32Array, w: Float32Array, b: Float32Array): Float32Array {
  const sums = Float32Array.from(b)
  for (const [i, value] of x.entries()) {
    if (value === 0) continue
    for (let unit = 0; unit < sums.length; unit++)
      sums[unit] = (sums[unit] ?? 0) + value * (w[i * sums.length + unit] ?? 0)
  }
  return sums
}

function softmax(logits: Float32Array): Float32Array {
  const largest = Math.max(...logits)
  const powers = logits.map((logit) => Math.exp(logit - largest))
  const sum = powers.reduce((total, power) => total + power, 0)
  return powers.map((power) => power / sum)
}

/** One step down the slopes of a layer's sums. */
function descend(x: Float32Array, slopes: Float32Array, w: Float32Array, b: Float32Array): void {
  for (const [unit, slope] of slopes.entries()) b[unit] = (b[unit] ?? 0) - RATE * slope
  for (const [i, value] of x.entries()) {
    if (value === 0) continue
    for (let unit = 0; unit < slopes.length; unit++) {
      const at = i * slopes.length + unit
      w[at] = (w[at] ?? 0) - RATE * value * (slopes[unit] ?? 0)
    }
  }
}
