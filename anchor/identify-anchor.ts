import type { Method, Outpoint } from './anchor-transaction.ts'
import { AnchorCheckError, checkAnchorTransaction, readDualPayload } from './check-anchor-transaction.ts'
import { parsePayload } from './commitment.ts'

/** Whose anchor, at which place in the chain of seals. */
interface AnchorPlace {
  method: Method
  /** x-only, 32 bytes. */
  internalKey: Uint8Array
  spends: Outpoint
  index: number
}

/**
 * The payload that a transaction anchors at that place, null when it is no anchor of this log: under `dual` it stands
 * in the transaction, under `taproot` it is one of `payloads`.
 */
export function identifyAnchor(
  raw: Uint8Array,
  { index, ...expected }: AnchorPlace,
  payloads: readonly Uint8Array[],
): Uint8Array | null {
  const candidates = expected.method === 'dual' ? dualPayload(raw) : payloads
  for (const payload of candidates) {
    if (parsePayload(payload).index === index && isAnchor(raw, { ...expected, payload })) return payload
  }
  return null
}

function dualPayload(raw: Uint8Array): Uint8Array[] {
  try {
    return [readDualPayload(raw)]
  } catch (error) {
    if (error instanceof AnchorCheckError) return []
    throw error
  }
}

function isAnchor(raw: Uint8Array, expected: Parameters<typeof checkAnchorTransaction>[1]): boolean {
  try {
    checkAnchorTransaction(raw, expected)
    return true
  } catch (error) {
    if (error instanceof AnchorCheckError) return false
    throw error
  }
}
