import type { Tensor } from '../work/tensor-bundle.ts'

export type Floats = Float32Array | Float64Array

/** The numbers of a floating-point tensor, binary16 widened; null for every other datatype. */
export function floatsOf({ datatype, data }: Tensor): Floats | null {
  // Copied: a typed array needs its bytes aligned.
  const aligned = (): ArrayBuffer => new Uint8Array(data).buffer
  switch (datatype) {
    case 'FP32':
      return new Float32Array(aligned())
    case 'FP64':
      return new Float64Array(aligned())
    case 'FP16':
      return Float32Array.from(new Uint16Array(aligned()), widened)
    default:
      return null
  }
}

/** IEEE 754 binary16: 1 sign bit, 5 of exponent biased by 15, 10 of fraction. */
export function widened(bits: number): number {
  const sign = bits >>> 15 === 0 ? 1 : -1
  const exponent = (bits >>> 10) & 0x1f
  const fraction = (bits & 0x3ff) / 1024
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN
  return exponent === 0 ? sign * fraction * 2 ** -14 : sign * (1 + fraction) * 2 ** (exponent - 15)
}

// Loops by index: over millions of numbers an iterator takes several times as long.

/** Root mean square of the finite numbers, 0 for none. */
export function rootMeanSquare(values: Floats): number {
  let sum = 0
  for (let index = 0; index < values.length; index++) {
    const value = values[index] ?? 0
    sum += value * value
  }
  const isOrdinary = sum > 0 && sum < Number.POSITIVE_INFINITY
  return isOrdinary ? Math.sqrt(sum / values.length) : scaledRootMeanSquare(values)
}

/** For all zeros, NaN and infinities among them, and binary64 whose squares overflow or vanish. */
function scaledRootMeanSquare(values: Floats): number {
  const largest = largestFinite(values)
  if (largest === 0) return 0
  let sum = 0
  let count = 0
  for (let index = 0; index < values.length; index++) {
    const scaled = (values[index] ?? 0) / largest
    if (!Number.isFinite(scaled)) continue
    sum += scaled * scaled
    count += 1
  }
  return largest * Math.sqrt(sum / count)
}

function largestFinite(values: Floats): number {
  let largest = 0
  for (let index = 0; index < values.length; index++) {
    const size = Math.abs(values[index] ?? Number.NaN)
    if (size > largest && size < Number.POSITIVE_INFINITY) largest = size
  }
  return largest
}

/** The number that lies furthest outside of what is allowed: difference by allowed difference, 0 when all are equal. */
export function worstElement(
  claimed: Floats,
  own: Floats,
  { atol, rtol, rms }: { atol: number; rtol: number; rms: number },
): { index: number; ratio: number } {
  let worst = 0
  let worstRatio = 0
  for (let index = 0; index < own.length; index++) {
    const ownSize = Math.abs(own[index] ?? 0)
    const difference = Math.abs((claimed[index] ?? 0) - (own[index] ?? 0))
    const allowed = atol + rtol * Math.max(ownSize, rms)
    // What nearly always holds: two finite numbers, nearer than the worst.
    if (difference < Number.POSITIVE_INFINITY && difference <= worstRatio * allowed) continue
    const ratio = ratioAt(index, claimed, own, allowed)
    if (ratio > worstRatio) {
      worst = index
      worstRatio = ratio
    }
  }
  return { index: worst, ratio: worstRatio }
}

function ratioAt(index: number, claimed: Floats, own: Floats, allowed: number): number {
  const a = claimed[index] ?? Number.NaN
  const b = own[index] ?? Number.NaN
  if (a === b || (Number.isNaN(a) && Number.isNaN(b))) return 0
  return Number.isFinite(a) && Number.isFinite(b) ? Math.abs(a - b) / allowed : Number.POSITIVE_INFINITY
}
