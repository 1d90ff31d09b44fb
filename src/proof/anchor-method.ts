import type { Method } from '../../anchor/anchor-transaction.ts'
import { parseTransaction } from '../../anchor/parse-transaction.ts'

/** A seal alone is `taproot`, anything beside it `dual`; checkAnchorTransaction refuses what is neither. */
export function methodOf(anchor: Uint8Array): Method {
  return parseTransaction(anchor)?.outs.length === 1 ? 'taproot' : 'dual'
}
