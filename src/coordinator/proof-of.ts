import { parseByteStrings } from '../../compute/work/byte-strings.ts'
import { receiptId } from '../../compute/work/receipt.ts'
import { receiptLeaf } from '../../compute/work/receipt-path.ts'
import { provePath } from '../../compute/work/receipt-tree.ts'
import { MAX_RECEIPTS_PER_SUBMISSION } from '../../compute/work/submission.ts'
import { parseEntry } from '../log/entry.ts'
import { buildProof } from '../proof/build-proof.ts'
import { encodeProof } from '../proof/proof.ts'
import { anchoredView } from '../rules/anchored.ts'
import type { Coordinator, OpenHouse } from './coordinator.ts'
import { RefusedError } from './refused-error.ts'

/** A list of receipts of 1,024 bytes at most, each with its CBOR head. */
const MAX_LIST_BYTES = MAX_RECEIPTS_PER_SUBMISSION * 1_027 + 9

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
  const anchors = anchorer.anchors()
  const first = anchoredView(anchors).first(entryIndex)
  const anchor = anchors.find(({ index }) => index === first?.index)
  if (anchor === undefined) {
    throw new RefusedError(
      409,
      'receipt_not_anchored',
      'its anchor is not mined yet; ask again after the next block',
    )
  }
  const entry = books.log.entry(entryIndex)
  const receipts = receiptsOf(entry)
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

  function receiptsOf(bytes: Uint8Array): Uint8Array[] {
    const submission = parseEntry(bytes)
    if (submission.kind !== 'submission') throw new Error(`entry ${entryIndex} is no submission`)
    const blob = books.blobs.get(Buffer.from(submission.receipts).toString('hex'))
    if (blob === null) throw new Error(`the receipts of entry ${entryIndex} are not held`)
    return parseByteStrings(blob, MAX_LIST_BYTES)
  }
}
