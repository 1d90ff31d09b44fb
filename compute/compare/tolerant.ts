import assert from 'node:assert/strict'
import {
  encodeTensorBundle,
  parseTensorBundle,
  quoted,
  type Tensor,
  TensorError,
} from '../work/tensor-bundle.ts'
import { elementAt } from './element.ts'
import { compareExact } from './exact.ts'
import { decisionFault, type TopBounds } from './tolerant-decision.ts'
import { floatsOf, nearness, rootMeanSquare, worstElement } from './tolerant-floats.ts'

interface OutputLimits {
  atol: number
  /** Relative to the larger of |own number| and the root mean square of the whole own output. */
  rtol: number
  /** Set where the output decides among the numbers of its last axis. */
  top: TopBounds | null
}

/** By output's name. One that is not listed has to be equal, and so has every output of another type. */
export type TolerantBounds = Readonly<Record<string, OutputLimits>>

interface Comparison {
  verdict: 'pass' | 'fail'
  /** For people. */
  reason: string
}

const WITHIN: Comparison = { verdict: 'pass', reason: 'within bounds' }

/** Names and shapes come from outside; a reason stays one line. */
const MAX_LAYOUT_LENGTH = 200

/**
 * Profile `tolerant`: passes when |claimed − own| ≤ atol + rtol · max(|own|, rms) for every number, and the decisions agree. A NaN matches
 * a NaN, an infinity itself. The claimed bundle is a stranger's: whatever it holds makes a reason, never an exception.
 */
export function compareTolerant(claimed: Uint8Array, own: Uint8Array, bounds: TolerantBounds): Comparison {
  if (Buffer.compare(claimed, own) === 0) return { verdict: 'pass', reason: 'equal outputs' }
  const claimedTensors = readBundle(claimed)
  const ownTensors = readBundle(own)
  if (claimedTensors === null || ownTensors === null) return compareExact(claimed, own)
  const [claimedLayout, ownLayout] = [layoutOf(claimedTensors), layoutOf(ownTensors)]
  if (claimedLayout !== ownLayout) {
    const reason = `outputs ${shortened(claimedLayout)}, expected ${shortened(ownLayout)}`
    return { verdict: 'fail', reason }
  }
  for (const [place, tensor] of ownTensors.entries()) {
    const other = claimedTensors[place]
    assert(other !== undefined, 'equal layouts have equally many tensors')
    const limits = Object.hasOwn(bounds, tensor.name) ? bounds[tensor.name] : undefined
    const compared = limits === undefined ? compareEqual(other, tensor) : compareNear(other, tensor, limits)
    if (compared.verdict === 'fail') return compared
  }
  return WITHIN
}

function compareNear(claimed: Tensor, own: Tensor, { atol, rtol, top }: OutputLimits): Comparison {
  const [claimedFloats, ownFloats] = [floatsOf(claimed), floatsOf(own)]
  if (claimedFloats === null || ownFloats === null) return compareEqual(claimed, own)
  const rms = rootMeanSquare(ownFloats)
  const limits = { atol, rtol, rms }
  const largest = nearness(claimedFloats, ownFloats, limits)
  if (largest === null) {
    const { index, ratio } = worstElement(claimedFloats, ownFloats, limits)
    return { verdict: 'fail', reason: differenceAt(claimed, own, index, ratio) }
  }
  const row =
    top === null
      ? null
      : decisionFault(claimedFloats, ownFloats, own.shape.at(-1) ?? 1, top, { rms, largest })
  if (row !== null) return { verdict: 'fail', reason: `${quoted(own.name)}: row ${row} decides differently` }
  return WITHIN
}

function differenceAt(claimed: Tensor, own: Tensor, index: number, ratio: number): string {
  const elements = own.shape.reduce((product, size) => product * size, 1)
  const byteOffset = (index * own.data.length) / elements
  const [claimedText, ownText] = [elementAt(claimed, byteOffset).text, elementAt(own, byteOffset).text]
  const times = Number.isFinite(ratio) ? `: ${ratio.toPrecision(3)} times the bound` : ''
  return `${quoted(own.name)}: element ${index} is ${claimedText}, expected ${ownText}${times}`
}

function compareEqual(claimed: Tensor, own: Tensor): Comparison {
  return compareExact(encodeTensorBundle([claimed]), encodeTensorBundle([own]))
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
