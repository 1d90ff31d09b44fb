import { seededRandom } from '../work/seeded-random.ts'
import type { Datatype } from '../work/tensor-bundle.ts'

export type RandomDatatype = Extract<Datatype, 'FP32' | 'FP16' | 'INT64'>

/** Large enough that products of two don't fit into 53 bits, nor sums of two products into 64. */
const MAX_INT64 = 2 ** 31

/** Numbers of a fixed pattern, alike in what models hold: FP32 and FP16 spread evenly over −1 to 1, INT64 over both signs. */
export function randomArray(
  seed: string,
  datatype: RandomDatatype,
  count: number,
): Float32Array | BigInt64Array | Uint16Array {
  const random = seededRandom(`conformance ${seed}`)
  const next = () => 2 * random() - 1
  if (datatype === 'INT64')
    return BigInt64Array.from({ length: count }, () => BigInt(Math.round(next() * MAX_INT64)))
  if (datatype === 'FP16') return Uint16Array.from({ length: count }, () => halfOf(next()))
  return Float32Array.from({ length: count }, next)
}

/** binary16 (IEEE 754-2019, 3.4) of a number below 1 in magnitude, cut to 10 bits of fraction; tiny ones become 0. */
function halfOf(value: number): number {
  const size = Math.abs(value)
  const exponent = Math.floor(Math.log2(size))
  if (exponent < -14) return 0
  const fraction = Math.floor((size / 2 ** exponent - 1) * 1024)
  return (value < 0 ? 0x8000 : 0) | ((exponent + 15) << 10) | fraction
}
