import { receiptId } from '../../compute/work/receipt.ts'
import { receiptLeaf } from '../../compute/work/receipt-path.ts'
import { provePath } from '../../compute/work/receipt-tree.ts'
import { buildProof } from '../proof/build-proof.ts'
import { encodeProof } from '../proof/proof.ts'
import type { Coordinator, OpenHouse } from './coordinator.ts'
import { receiptsOf } from './receipts-of.ts'
import { RefusedError } from './refused-error.ts'

/** The proof file of a receipt, under the first anchor that commits it. Throws RefusedError 404, 409. */
export function proofOf(
  { books }: Coordinator,
  { genesis, anchorer }: OpenHouse,
  id: Uint8Array,
): Uint8Array {
  const row = books.db
    .prepare<[Uint8Array], { submission: bigint; position: bigint }>(
      'SELECT submission, position FROM receipt WHERE id = ?',
    )
    .get(id)
  if (row === undefined)
    throw new RefusedError(404, 'receipt_unknown', 'no submission in this log holds that receipt')
  const entryIndex = Number(row.submission)
  const anchor = anchorer.firstOver(entryIndex)
  if (anchor === null) {
    throw new RefusedError(
      409,
      'receipt_not_anchored',
      'its anchor is not mined yet; ask again after the next block',
    )
  }
  const entry = books.log.entry(entryIndex)
  const receipts = receiptsOf(books, entryIndex)
  const position = Number(row.position)
  const receipt = receipts[position]
  if (receipt === undefined) throw new Error(`submission ${entryIndex} has no receipt ${position}`)
  return encodeProof(
    buildProof({
      receipt,
      receiptPath: provePath(
        receipts.map((bytes) => receiptLeaf(receiptId(bytes))),
        position,
      ),
      entry,
      entryIndex,
      logPath: books.log.proveRecord(entryIndex, anchor.size),
      checkpoint: books.log.checkpoint(anchor.size),
      logKey: genesis.logKey,
      internalKey: genesis.internalKey,
      anchor,
    }),
  )
}
