/** The way of a dual proof in OpenTimestamps' operations: from the receipt's SHA-256 to the block's Merkle root. */
import { readDualPayload } from '../../anchor/check-anchor-transaction.ts'
import { parsePayload } from '../../anchor/commitment.ts'
import type { Op } from '../../anchor/ots/timestamp.ts'
import { parseReceipt } from '../../compute/work/receipt.ts'
import { parseHeader } from '../../compute/work/submission.ts'
import { sha256 } from '../../compute/work/tagged-hash.ts'
import type { Proof } from './proof.ts'
import { ProofError } from './proof-error.ts'
import { submissionEntry } from './submission-entry.ts'

const HASH: Op = { kind: 'sha256' }
/** RFC 6962 §2.1. */
const LEAF_PREFIX = Uint8Array.of(0x00)
const NODE_PREFIX = Uint8Array.of(0x01)

export function otsSteps(proof: Proof): Op[] {
  const { receipt, receiptPath, submission, entryIndex, logPath, origin, size, anchor, branch } = proof
  const { count, root } = parseHeader(submission)
  const receiptTag = sha256(Buffer.from('assay/receipt'))
  return [
    prepend(receiptTag, receiptTag),
    HASH,
    ...path(receiptPath, parseReceipt(receipt).index, count, joinReceipts),
    ...within(submissionEntry(proof), root, LEAF_PREFIX),
    HASH,
    ...path(logPath, entryIndex, size, joinEntries),
    prepend(Buffer.from(`${origin}\n${size}\n`)),
    HASH,
    ...within(anchor, parsePayload(readDualPayload(anchor)).digest),
    HASH,
    HASH,
    ...branch.siblings.flatMap((sibling, level) =>
      joinTransactions(sibling, (branch.position >> level) % 2 === 1),
    ),
  ]
}

type Join = (sibling: Uint8Array, isLeft: boolean) => Op[]

const joinReceipts: Join = (sibling, isLeft) => [isLeft ? prepend(sibling) : append(sibling), HASH]
const joinEntries: Join = (sibling, isLeft) =>
  isLeft ? [prepend(NODE_PREFIX, sibling), HASH] : [append(sibling), prepend(NODE_PREFIX), HASH]
const joinTransactions: Join = (sibling, isLeft) => [...joinReceipts(sibling, isLeft), HASH]

/** Receipt tree and RFC 6962 have one shape: pairs from the left, the last node of an odd level promoted. */
function path(siblings: readonly Uint8Array[], index: number, count: number, join: Join): Op[] {
  const isLeft: boolean[] = []
  for (let at = index, width = count; width > 1; width = Math.ceil(width / 2)) {
    const isRightNode = at % 2 === 1
    if (isRightNode || at + 1 < width) isLeft.push(isRightNode)
    at = Math.floor(at / 2)
  }
  return siblings.flatMap((sibling, level) => join(sibling, isLeft[level] === true))
}

/** From `part` to `prefix ‖ whole`, which holds it. */
function within(whole: Uint8Array, part: Uint8Array, prefix = new Uint8Array()): Op[] {
  const at = Buffer.from(whole).indexOf(part)
  if (at < 0) throw new ProofError('proof_invalid', 'a hash does not stand where the proof has it')
  return [prepend(prefix, whole.subarray(0, at)), append(whole.subarray(at + part.length))]
}

function append(argument: Uint8Array): Op {
  return { kind: 'append', argument }
}

function prepend(...parts: Uint8Array[]): Op {
  return { kind: 'prepend', argument: new Uint8Array(Buffer.concat(parts)) }
}
