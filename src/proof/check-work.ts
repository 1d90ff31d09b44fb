import { parseReceipt, type Receipt, receiptId } from '../../compute/work/receipt.ts'
import { checkPath, receiptLeaf } from '../../compute/work/receipt-path.ts'
import { parseHeader, type SubmissionHeader } from '../../compute/work/submission.ts'
import { type Checklist, given } from './checklist.ts'
import type { Proof } from './proof.ts'

/** From the receipt to the root that its worker signed. */
export function checkWork(
  list: Checklist,
  proof: Proof | null,
): { receipt: Receipt | null; submission: SubmissionHeader | null } {
  const receipt = list.check(
    'receipt',
    () => parseReceipt(given(proof).receipt),
    ({ index }) => `receipt ${index} of its submission`,
  )
  const submission = list.check(
    'submission',
    () => parseHeader(given(proof).submission),
    ({ sequence, count }) => `submission ${sequence} of its worker, ${count} receipts`,
  )
  list.check(
    'receipt_path',
    () => {
      const { index } = given(receipt)
      const { count, root } = given(submission)
      const leaf = receiptLeaf(receiptId(given(proof).receipt))
      if (Buffer.compare(checkPath(leaf, index, count, given(proof).receiptPath), root) !== 0) {
        throw new Error('the path leads to another root')
      }
    },
    () => 'the path leads to the root in the submission header',
  )
  return { receipt, submission }
}
