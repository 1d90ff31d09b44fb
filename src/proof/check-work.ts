import { parseReceipt, type Receipt, receiptId } from '../../compute/work/receipt.ts'
import { checkPath, receiptLeaf } from '../../compute/work/receipt-tree.ts'
import { parseHeader, type SubmissionHeader } from '../../compute/work/submission.ts'
import { parseEntry } from '../log/entry.ts'
import { type Checklist, given } from './checklist.ts'
import type { Proof } from './proof.ts'

export interface Submission {
  /** As signed. */
  readonly headerBytes: Uint8Array
  readonly header: SubmissionHeader
  readonly signature: Uint8Array
}

/** From the receipt to the root that its worker signed. */
export function checkWork(
  list: Checklist,
  proof: Proof | null,
): { receipt: Receipt | null; submission: Submission | null } {
  const receipt = list.check(
    'receipt',
    () => parseReceipt(given(proof).receipt),
    ({ index }) => `receipt ${index} of its submission`,
  )
  const submission = list.check(
    'entry',
    () => readSubmission(given(proof).entry),
    ({ header }) => `submission ${header.sequence} of its worker, ${header.count} receipts`,
  )
  list.check(
    'receipt_path',
    () => {
      const { index } = given(receipt)
      const { header } = given(submission)
      const leaf = receiptLeaf(receiptId(given(proof).receipt))
      const root = checkPath(leaf, index, header.count, given(proof).receiptPath)
      if (Buffer.compare(root, header.root) !== 0) throw new Error('the path leads to another root')
    },
    () => 'the path leads to the root in the submission header',
  )
  return { receipt, submission }
}

export function readSubmission(bytes: Uint8Array): Submission {
  const entry = parseEntry(bytes)
  if (entry.kind !== 'submission') throw new Error(`the entry is of kind ${entry.kind}`)
  return { headerBytes: entry.header, header: parseHeader(entry.header), signature: entry.signature }
}
