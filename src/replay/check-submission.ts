import { hex } from '../../compute/work/hex.ts'
import { profileMismatch } from '../../compute/work/model-profile.ts'
import { parseReceipt, type Receipt, receiptId } from '../../compute/work/receipt.ts'
import { receiptLeaf } from '../../compute/work/receipt-path.ts'
import { treeRoot } from '../../compute/work/receipt-tree.ts'
import {
  checkSubmissionSignature,
  parseHeader,
  type SubmissionHeader,
  submissionId,
} from '../../compute/work/submission.ts'
import { unmaturedAccount } from '../ledger/accounts.ts'
import type { EntryOf } from '../log/entry.ts'
import { isSuspended } from '../rules/standings.ts'
import type { MarketModel } from '../subnet/markets.ts'
import { type Check, readable } from './findings.ts'
import { readByteStrings } from './read-blob.ts'
import type { ReplayedJob, ReplayedSubmission, ReplayState } from './replay-state.ts'

/** A worker's next in its own chain, signed for this log, over receipts of jobs that it was leased before. */
export async function checkSubmission(
  state: ReplayState,
  entry: EntryOf<'submission'>,
  index: number,
): Promise<void> {
  const check = state.findings.at('submissions', index)
  const header = readable(check, () => parseHeader(entry.header))
  if (header === null) return
  check(
    checkSubmissionSignature(entry.header, state.genesis.origin, entry.signature),
    'signature_invalid',
    () => 'the header is not signed by its worker for this log',
  )
  const submission: ReplayedSubmission = {
    entry: index,
    id: submissionId(entry.header),
    worker: header.worker,
    unmaturedMsat: state.balances.of(unmaturedAccount(hex(header.worker))),
    receipts: [],
  }
  const isFree = !isSuspended(state.standings, hex(header.worker))
  check(isFree, 'worker_suspended', () => `${hex(header.worker)} is suspended`)
  if (!checkChain(state, check, header, submission.id)) return
  const list = await readByteStrings(state, check, entry.receipts, 'receipt list')
  if (list === null) return
  check(
    list.length === header.count,
    'count_mismatch',
    () => `lists ${list.length} receipts, not ${header.count}`,
  )
  check(
    list.length > 0 &&
      Buffer.compare(treeRoot(list.map((one) => receiptLeaf(receiptId(one)))), header.root) === 0,
    'root_mismatch',
    () => 'the receipts do not lead to the root in the header',
  )
  for (const [position, bytes] of list.entries()) takeReceipt(state, check, submission, position, bytes)
  state.submissions.push(submission)
}

/** The chain goes on from what was logged, in or out of order: one gap is one finding. */
function checkChain(
  { workers }: ReplayState,
  check: Check,
  { worker: key, sequence, previous }: SubmissionHeader,
  id: Uint8Array,
): boolean {
  const worker = workers.get(hex(key))
  if (!check(worker !== undefined, 'worker_unknown', () => `${hex(key)} is not registered`)) return false
  if (worker === undefined) return false
  check(
    sequence === worker.nextSequence && Buffer.compare(previous, worker.previous) === 0,
    'sequence_mismatch',
    () =>
      `is number ${sequence} after ${hex(previous)}, expected ${worker.nextSequence} after ${hex(worker.previous)}`,
  )
  worker.nextSequence = sequence + 1
  worker.previous = id
  return true
}

function takeReceipt(
  state: ReplayState,
  check: Check,
  submission: ReplayedSubmission,
  position: number,
  bytes: Uint8Array,
): void {
  const receipt = readable(check, () => parseReceipt(bytes))
  if (receipt === null) return
  check(
    receipt.index === position,
    'index_mismatch',
    () => `receipt ${position} says that its index is ${receipt.index}`,
  )
  const job = state.jobs.get(hex(receipt.job))
  const isLeased = job !== undefined && job.worker === hex(submission.worker)
  check(
    isLeased,
    'job_unknown',
    () => `receipt ${position}: job ${hex(receipt.job)} was not leased to this worker`,
  )
  if (job === undefined || !isLeased) return
  if (
    !check(
      !job.isSubmitted,
      'job_already_submitted',
      () => `receipt ${position}: job ${job.hex} has one already`,
    )
  ) {
    return
  }
  const known = state.markets.model(job.subnet, job.model, job.epoch)
  if (known === null) return
  checkProfile(check, receipt, position, known, job)
  job.isSubmitted = true
  const replayed = {
    hex: hex(receiptId(bytes)),
    position,
    job,
    submission,
    output: hex(receipt.output),
    market: known,
    // As if it were one: which item, or none, is hidden until settlement and plays no other part.
    rewardMsat: state.expectedRewardMsat({ ...job, item: 0n, epoch: BigInt(job.epoch) }),
    feeMsat: state.expectedRewardMsat({ ...job, item: null, epoch: BigInt(job.epoch) }),
    rounds: [],
    fate: { verdict: null, entry: submission.entry },
    outputDigest: null,
  }
  submission.receipts.push(replayed)
  state.receipts.set(replayed.hex, replayed)
}

function checkProfile(
  check: Check,
  { profile }: Receipt,
  position: number,
  { model: { profile: required } }: MarketModel,
  { items }: ReplayedJob,
): void {
  const wrong = profileMismatch(required, items, profile)
  check(
    wrong === null,
    'profile_mismatch',
    () => `receipt ${position}: profile.${wrong?.key} is not ${wrong?.expected}`,
  )
}
