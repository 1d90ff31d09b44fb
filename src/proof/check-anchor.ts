import { checkProofOfWork, parseHeader, workOf } from '../../anchor/block-header.ts'
import { checkAnchorTransaction } from '../../anchor/check-anchor-transaction.ts'
import { encodePayload } from '../../anchor/commitment.ts'
import { checkBranch } from '../../anchor/merkle-branch.ts'
import { parseTransaction } from '../../anchor/parse-transaction.ts'
import type { Checkpoint } from '../log/checkpoint.ts'
import { methodOf } from './anchor-method.ts'
import { type Checklist, given } from './checklist.ts'
import type { Proof } from './proof.ts'

/** The easiest target there is: which chain a header is in, and so what its work must be, is for `header_chain`. */
const NO_POW_LIMIT = (1n << 256n) - 1n

/** From the log's head to a block header. */
export function checkAnchor(
  list: Checklist,
  proof: Proof | null,
  head: Checkpoint | null,
  pinnedInternalKey: Uint8Array | undefined,
): { txid: string | null; blockTimeUnix: number | null } {
  list.check(
    'commitment',
    () => {
      const { anchor, anchorIndex, internalKey } = given(proof)
      const { origin, size, root } = given(head)
      const method = methodOf(anchor)
      if (pinnedInternalKey !== undefined && Buffer.compare(pinnedInternalKey, internalKey) !== 0) {
        throw new Error('the internal key is not the one given')
      }
      const payload = encodePayload({ index: anchorIndex, origin, size, root })
      checkAnchorTransaction(anchor, { method, internalKey, payload })
      return { anchorIndex, method }
    },
    ({ anchorIndex, method }) =>
      `anchor ${anchorIndex} (${method}) commits to this head under ${pinnedInternalKey === undefined ? "the proof's own internal key" : 'the internal key given'}`,
  )
  const txid = list.check(
    'transaction',
    () => {
      const transaction = parseTransaction(given(proof).anchor)
      if (transaction === null) throw new Error('not one whole transaction')
      if (transaction.hasWitnesses())
        throw new Error('the transaction has witnesses, which its txid leaves out')
      return transaction.getId()
    },
    (id) => id,
  )
  const header = proof === null ? null : parseHeader(proof.header)
  list.check(
    'branch',
    () => {
      const root = checkBranch(given(txid), given(proof).branch)
      if (Buffer.compare(root, given(header).merkleRoot) !== 0) {
        throw new Error("the branch leads to another root than the header's")
      }
    },
    () => `transaction ${proof?.branch.position} of its block`,
  )
  list.check(
    'header_pow',
    () => {
      checkProofOfWork(given(proof).header, NO_POW_LIMIT)
      return workOf(given(header).bits)
    },
    (work) => `${work} expected hashes`,
  )
  return { txid, blockTimeUnix: header?.time ?? null }
}
