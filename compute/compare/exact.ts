import { parseTensorBundle, quoted, type Tensor, TensorError } from '../work/tensor-bundle.ts'
import { elementAt } from './element.ts'

interface Comparison {
  verdict: 'pass' | 'fail'
  /** For people: what differs first, or that nothing does. */
  reason: string
}

/**
 * Profile `exact`: two output bundles pass when every byte is equal (PROTOCOL §2: a bundle has one encoding, so equal bytes, equal digests
 * and equal tensors are the same). Both come from peers: whatever they hold makes a reason, never an exception.
 */
export function compareExact(claimed: Uint8Array, expected: Uint8Array): Comparison {
  if (Buffer.compare(claimed, expected) === 0) return { verdict: 'pass', reason: 'equal outputs' }
  return { verdict: 'fail', reason: explain(claimed, expected) }
}

function explain(claimed: Uint8Array, expected: Uint8Array): string {
  const claimedTensors = readBundle(claimed)
  if (typeof claimedTensors === 'string') return `claimed outputs: ${claimedTensors}`
  const expectedTensors = readBundle(expected)
  if (typeof expectedTensors === 'string') return `expected outputs: ${expectedTensors}`
  for (const [name, tensor] of expectedTensors) {
    const other = claimedTensors.get(name)
    if (other === undefined) return `${quoted(name)} is missing`
    const difference = explainTensor(other, tensor)
    if (difference !== null) return `${quoted(name)}: ${difference}`
  }
  const extra = [...claimedTensors.keys()].find((name) => !expectedTensors.has(name))
  return `${quoted(extra ?? '')} is not expected`
}

/** By name, or why the bundle can't be read. */
function readBundle(bytes: Uint8Array): Map<string, Tensor> | string {
  try {
    return new Map(parseTensorBundle(bytes).map((tensor) => [tensor.name, tensor]))
  } catch (error) {
    if (error instanceof TensorError) return error.message
    throw error
  }
}

function explainTensor(claimed: Tensor, expected: Tensor): string | null {
  if (claimed.datatype !== expected.datatype) {
    return `datatype ${claimed.datatype}, expected ${expected.datatype}`
  }
  if (claimed.shape.join() !== expected.shape.join()) {
    return `shape [${claimed.shape}], expected [${expected.shape}]`
  }
  // Bits are compared, not numbers: −0 is not 0 here, and a NaN equals itself.
  if (Buffer.compare(claimed.data, expected.data) === 0) return null
  const byteOffset = firstDifference(claimed.data, expected.data)
  const { text: claimedText } = elementAt(claimed, byteOffset)
  const { index, text } = elementAt(expected, byteOffset)
  return `element ${index} is ${claimedText}, expected ${text}`
}

/** Of two unequal arrays. Halves are compared as blocks of memory: byte by byte takes ten times as long. */
function firstDifference(a: Uint8Array, b: Uint8Array): number {
  let from = 0
  let to = Math.min(a.length, b.length)
  if (Buffer.compare(a.subarray(0, to), b.subarray(0, to)) === 0) return to
  while (to - from > 1) {
    const middle = (from + to) >>> 1
    if (Buffer.compare(a.subarray(from, middle), b.subarray(from, middle)) === 0) from = middle
    else to = middle
  }
  return from
}
