import { ONNX_TYPE } from '../onnx/datatype.ts'
import { tensor } from '../onnx/graph-builder.ts'
import { decodeModel, encodeModel, type TensorProto } from '../onnx/model.ts'
import { graphOf } from '../onnx/signature.ts'
import { seededRandom } from '../work/seeded-random.ts'

/** Cheaper models that any cheat can make of a given one. */
export const WEIGHT_CHEATS = ['fp16_weights', 'int8_weights', 'other_weights'] as const
type WeightCheat = (typeof WEIGHT_CHEATS)[number]

/** binary16: 10 bits of fraction, least normal exponent −14, largest number. */
const FP16_FRACTION_BITS = 10
const FP16_MIN_EXPONENT = -14
const FP16_MAX = 65_504

const INT8_MAX = 127

const TRANSFORMS: Record<WeightCheat, (weights: Float32Array, dims: readonly number[]) => Float32Array> = {
  fp16_weights: (weights) => weights.map(toHalf),
  int8_weights: toInt8,
  other_weights: shuffled,
}

/** The model with its FP32 initializers changed, or null when that changes none. Throws ModelError. */
export function cheapenModel(model: Uint8Array, cheat: WeightCheat): Uint8Array | null {
  const decoded = decodeModel(model)
  const graph = graphOf(decoded)
  let changed = false
  const initializer = graph.initializer.map((held) => {
    const weights = weightsOf(held)
    if (weights === null) return held
    const dims = held.dims.map(Number)
    const cheap = TRANSFORMS[cheat](weights, dims)
    changed ||= cheap.some((weight, index) => !Object.is(weight, weights[index]))
    return tensor(held.name ?? '', 'FP32', dims, cheap)
  })
  return changed ? encodeModel({ ...decoded, graph: { ...graph, initializer } }) : null
}

function weightsOf({ dataType, rawData, floatData }: TensorProto): Float32Array | null {
  if (dataType !== ONNX_TYPE.FP32) return null
  // Copied: a typed array needs its bytes aligned.
  if (rawData !== undefined && rawData.length > 0) return new Float32Array(new Uint8Array(rawData).buffer)
  return Float32Array.from(floatData)
}

// What is no finite number stays: a mask's −Infinity would become NaN, and every cheat with it be caught.
function toHalf(weight: number): number {
  if (weight === 0 || !Number.isFinite(weight)) return weight
  const exponent = Math.max(Math.floor(Math.log2(Math.abs(weight))), FP16_MIN_EXPONENT)
  const step = 2 ** (exponent - FP16_FRACTION_BITS)
  return Math.max(-FP16_MAX, Math.min(FP16_MAX, Math.round(weight / step) * step))
}

/** Symmetric, with a scale for every index of the first axis: finer than one for all, so the harder to catch. Biases stay. */
function toInt8(weights: Float32Array, dims: readonly number[]): Float32Array {
  const rows = dims[0] ?? 0
  if (dims.length < 2 || rows === 0) return weights
  const rowLength = weights.length / rows
  const result = new Float32Array(weights.length)
  for (let start = 0; start < weights.length; start += rowLength) {
    const row = weights.subarray(start, start + rowLength)
    const largest = row.filter(Number.isFinite).reduce((most, weight) => Math.max(most, Math.abs(weight)), 0)
    const scale = largest / INT8_MAX
    const stepOf = (weight: number) =>
      scale > 0 && Number.isFinite(weight) ? Math.round(weight / scale) * scale : weight
    result.set(row.map(stepOf), start)
  }
  return result
}

/** The same numbers in other places: as another seed would have drawn them. Fisher–Yates. */
function shuffled(weights: Float32Array): Float32Array {
  const random = seededRandom('other weights')
  const result = weights.slice()
  for (let last = result.length - 1; last > 0; last--) {
    const chosen = Math.floor(random() * (last + 1))
    const held = result[last] ?? 0
    result[last] = result[chosen] ?? 0
    result[chosen] = held
  }
  return result
}
