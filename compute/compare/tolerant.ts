import assert from 'node:assert/strict'
import { encodeTensorBundle, parseTensorBundle, type Tensor, TensorError } from '../work/tensor-bundle.ts'
import { elementAt } from './element.ts'
import { compareExact } from './exact.ts'
import { decisionFault, type TopBounds } from './tolerant-decision.ts'
import { floatsOf, rootMeanSquare, worstElement } from './tolerant-floats.ts'

interface OutputLimits {
  atol: number
  /** Relative to the larger of |own number| and the root mean square of the whole own output. */
  rtol: number
  /** Set where the output decides among the numbers of its last axis. */
  top: TopBounds | null
}

/** By output's name. One that is not listed has to be equal, and so has every output of another type. */
export type TolerantBounds = Readonly<Record<string, OutputLimits>>

interface Deviation {
  output: string
  /** Row-major. */
  index: number
  /** Difference by allowed difference: above 1 fails, Infinity where one of the two is no finite number. */
  ratio: number
}

interface Comparison {
  verdict: 'pass' | 'fail'
  /** For people. */
  reason: string
  /** The largest one seen; null where all is equal. */
  worst: Deviation | null
}

/** Names and shapes come from outside; a reason stays one line. */
const MAX_LAYOUT_LENGTH = 200

/**
 * Profile `tolerant`: passes when |claimed − own| ≤ atol + rtol · max(|own|, rms) for every number, and the decisions agree. A NaN matches
 * a NaN, an infinity itself. The claimed bundle is a stranger's: whatever it holds makes a reason, never an exception.
 */
export function compareTolerant(claimed: Uint8Array, own: Uint8Array, bounds: TolerantBounds): Comparison {
  if (Buffer.compare(claimed, own) === 0) return { verdict: 'pass', reason: 'equal outputs', worst: null }
  const claimedTensors = readBundle(claimed)
  const ownTensors = readBundle(own)
  if (claimedTensors === null || ownTensors === null) return { ...compareExact(claimed, own), worst: null }
  const [claimedLayout, ownLayout] = [layoutOf(claimedTensors), layoutOf(ownTensors)]
  if (claimedLayout !== ownLayout) {
    const reason = `outputs ${shortened(claimedLayout)}, expected ${shortened(ownLayout)}`
    return { verdict: 'fail', reason, worst: null }
  }

  let worst: Deviation | null = null
  for (const [place, tensor] of ownTensors.entries()) {
    const other = claimedTensors[place]
    assert(other !== undefined, 'equal layouts have equally many tensors')
    const limits = Object.hasOwn(bounds, tensor.name) ? bounds[tensor.name] : undefined
    const compared = limits === undefined ? compareEqual(other, tensor) : compareNear(other, tensor, limits)
    if (compared.worst !== null && compared.worst.ratio > (worst?.ratio ?? 0)) worst = compared.worst
    if (compared.verdict === 'fail') return { ...compared, worst }
  }
  return { verdict: 'pass', reason: 'within bounds', worst }
}

function compareNear(claimed: Tensor, own: Tensor, { atol, rtol, top }: OutputLimits): Comparison {
  const [claimedFloats, ownFloats] = [floatsOf(claimed), floatsOf(own)]
  if (claimedFloats === null || ownFloats === null) return compareEqual(claimed, own)
  const rms = rootMeanSquare(ownFloats)
  const { index, ratio } = worstElement(claimedFloats, ownFloats, { atol, rtol, rms })
  const worst = ratio === 0 ? null : { output: own.name, index, ratio }
  const name = shortened(JSON.stringify(own.name))
  if (ratio > 1) {
    const byteOffset = (index * own.data.length) / ownFloats.length
    const [claimedText, ownText] = [elementAt(claimed, byteOffset).text, elementAt(own, byteOffset).text]
    const times = Number.isFinite(ratio) ? `: ${ratio.toPrecision(3)} times the bound` : ''
    const reason = `${name}: element ${index} is ${claimedText}, expected ${ownText}${times}`
    return { verdict: 'fail', reason, worst }
  }
  const row = top === null ? null : decisionFault(claimedFloats, ownFloats, own.shape.at(-1) ?? 1, top, rms)
  if (row !== null) return { verdict: 'fail', reason: `${name}: row ${row} decides differently`, worst }
  return { verdict: 'pass', reason: 'within bounds', worst }
}

function compareEqual(claimed: Tensor, own: Tensor): Comparison {
  return { ...compareExact(encodeTensorBundle([claimed]), encodeTensorBundle([own])), worst: null }
}

/** null when the bytes are no bundle. */
function readBundle(bytes: Uint8Array): Tensor[] | null {
  try {
    return parseTensorBundle(bytes)
  } catch (error) {
    if (error instanceof TensorError) return null
    throw error
  }
}

function layoutOf(tensors: readonly Tensor[]): string {
  return tensors
    .map(({ name, datatype, shape }) => `${JSON.stringify(name)} ${datatype} [${shape}]`)
    .join(', ')
}

const shortened = (text: string) => text.slice(0, MAX_LAYOUT_LENGTH)
