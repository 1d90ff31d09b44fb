import { encodeCbor } from '../../../compute/work/canonical-cbor.ts'
import { parseReceipt, receiptId } from '../../../compute/work/receipt.ts'
import { receiptLeaf } from '../../../compute/work/receipt-path.ts'
import { treeRoot } from '../../../compute/work/receipt-tree.ts'
import { checkSubmissionSignature, parseHeader, submissionId } from '../../../compute/work/submission.ts'
import { sha256 } from '../../../compute/work/tagged-hash.ts'
import { toHex } from '../work/read-vector.ts'
import { Problem, read, submission } from './peer-body.ts'
import type { PeerJob } from './peer-job.ts'

export const PEER_ORIGIN = 'peer.example/log'
export const PEER_LOG_KEY = `${PEER_ORIGIN}+key`

/** The peer's log: one worker's chain of submissions. */
export function createPeerLog(jobs: ReadonlyMap<string, PeerJob>) {
  const submissions: { header: Uint8Array; receipts: Uint8Array[] }[] = []
  const chain = { nextSequence: 0, previous: new Uint8Array(32) as Uint8Array }

  function acknowledge(header: Uint8Array): Uint8Array {
    const index = submissions.findIndex((known) => toHex(known.header) === toHex(header))
    const entry = encodeCbor({ v: 1, kind: 'submission', header })
    return encodeCbor({ checkpoint: 'note', entry, index: index + 100, path: [sha256(entry)] })
  }

  function acceptSubmission(body: Uint8Array): Uint8Array {
    const { header: bytes, receipts, signature } = read(submission, body)
    const header = parseHeader(bytes)
    if (!checkSubmissionSignature(bytes, PEER_ORIGIN, signature)) throw new Problem(400, 'signature_invalid')
    if (submissions.some((known) => toHex(known.header) === toHex(bytes))) {
      const acknowledgement = Buffer.from(acknowledge(bytes)).toString('base64')
      throw new Problem(409, 'submission_duplicate', { acknowledgement })
    }
    if (header.sequence !== chain.nextSequence || toHex(header.previous) !== toHex(chain.previous)) {
      const previous = toHex(chain.previous)
      throw new Problem(409, 'sequence_mismatch', { nextSequence: chain.nextSequence, previous })
    }
    const root = treeRoot(receipts.map((receipt) => receiptLeaf(receiptId(receipt))))
    if (header.count !== receipts.length || toHex(root) !== toHex(header.root)) {
      throw new Problem(400, 'root_mismatch')
    }
    const answered = receipts.map((receipt, position) => {
      const { job, index } = parseReceipt(receipt)
      const known = jobs.get(toHex(job))
      if (index !== position) throw new Problem(400, 'index_mismatch')
      if (known === undefined) throw new Problem(404, 'job_unknown')
      if (known.state === 'submitted') throw new Problem(409, 'job_already_submitted')
      return { known, id: toHex(receiptId(receipt)) }
    })
    const missing = answered.filter(({ known, id }) => known.receipt !== id).map(({ id }) => id)
    if (missing.length > 0) throw new Problem(409, 'outputs_missing', { receipts: missing })
    for (const { known } of answered) known.state = 'submitted'
    submissions.push({ header: bytes, receipts })
    Object.assign(chain, { nextSequence: header.sequence + 1, previous: submissionId(bytes) })
    return acknowledge(bytes)
  }

  return { submissions, chain, acceptSubmission }
}
