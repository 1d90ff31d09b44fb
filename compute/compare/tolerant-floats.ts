import type { Tensor } from '../work/tensor-bundle.ts'

export type Floats = Float32Array | Float64Array

/** The numbers of a floating-point tensor, binary16 widened; null for every other datatype. */
export function floatsOf({ datatype, data }: Tensor): Floats | null {
  switch (datatype) {
    case 'FP32':
      return new Float32Array(...aligned(data, Float32Array.BYTES_PER_ELEMENT))
    case 'FP64':
      return new Float64Array(...aligned(data, Float64Array.BYTES_PER_ELEMENT))
    case 'FP16':
      return widened(new Uint16Array(...aligned(data, Uint16Array.BYTES_PER_ELEMENT)))
    default:
      return null
  }
}

/** Where a typed array may lie: on the bytes themselves, or on a copy where they stand at an odd place. */
function aligned(
  data: Uint8Array,
  elementBytes: number,
): [buffer: ArrayBufferLike, at: number, count: number] {
  const { buffer, byteOffset, length } = data.byteOffset % elementBytes === 0 ? data : new Uint8Array(data)
  return [buffer, byteOffset, length / elementBytes]
}

/** Exponents of binary32 are biased by 127, those of binary16 (IEEE 754-2019, 3.4) by 15. */
const REBIAS = 2 ** (127 - 15)

/**
 * Sign, exponent and fraction of binary16 put in their places of binary32, then the exponent biased anew by a product, which is exact and
 * turns subnormal numbers into normal ones. Infinities and NaN, whose exponent is all ones, are given one of all ones.
 */
function widened(halves: Uint16Array): Float32Array {
  const bits = new Uint32Array(halves.length)
  for (let index = 0; index < halves.length; index++) {
    const half = halves[index] ?? 0
    const sign = (half & 0x8000) << 16
    const magnitude = half & 0x7fff
    bits[index] = sign | (magnitude << 13) | (magnitude < 0x7c00 ? 0 : 0x7f800000)
  }
  const values = new Float32Array(bits.buffer)
  for (let index = 0; index < values.length; index++) values[index] = (values[index] ?? 0) * REBIAS
  return values
}

// Loops by index: over millions of numbers an iterator takes several times as long.

/** Root mean square of the finite numbers, 0 for none. */
export function rootMeanSquare(values: Floats): number {
  let squares = 0
  for (let index = 0; index < values.length; index++) {
    const value = values[index] ?? 0
    squares += value * value
  }
  const isOrdinary = squares > 0 && squares < Number.POSITIVE_INFINITY
  return isOrdinary ? Math.sqrt(squares / values.length) : scaledRootMeanSquare(values)
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

interface Limits {
  atol: number
  rtol: number
  rms: number
}

/**
 * The largest difference when every number lies within atol + rtol · max(|own|, rms), else null. A NaN matches a NaN, an infinity itself;
 * both differ by nothing.
 */
export function nearness(claimed: Floats, own: Floats, { atol, rtol, rms }: Limits): number | null {
  // Every number may differ by as much; an infinite difference is more.
  const least = Math.min(atol + rtol * rms, Number.MAX_VALUE)
  let largest = 0
  // The smaller of the two: what differs by no more, as nearly everything does, changes nothing.
  let unseen = 0
  for (let index = 0; index < own.length; index++) {
    const value = own[index] ?? 0
    const other = claimed[index] ?? 0
    const difference = Math.abs(other - value)
    if (difference <= unseen) continue
    const size = Math.abs(value)
    // Compared by hand: Math.max, which has to tell NaN and -0 apart, takes twice as long.
    const allowed = atol + rtol * (size > rms ? size : rms)
    if (difference <= allowed && difference < Number.POSITIVE_INFINITY) {
      if (difference > largest) largest = difference
      unseen = largest < least ? largest : least
    } else if (!isSame(other, value)) return null
  }
  return largest
}

/** The number that lies furthest outside of what is allowed: difference by allowed difference, 0 when all are equal. */
export function worstElement(
  claimed: Floats,
  own: Floats,
  { atol, rtol, rms }: Limits,
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
  if (isSame(a, b)) return 0
  return Number.isFinite(a - b) ? Math.abs(a - b) / allowed : Number.POSITIVE_INFINITY
}

function isSame(a: number | undefined, b: number | undefined): boolean {
  return a === b || (Number.isNaN(a) && Number.isNaN(b))
}
