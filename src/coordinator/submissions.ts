import { encodeCbor } from '../../compute/work/canonical-cbor.ts'
import { hex } from '../../compute/work/hex.ts'
import { profileMismatch } from '../../compute/work/model-profile.ts'
import type { Energy, Receipt } from '../../compute/work/receipt.ts'
import { parseReceipt, receiptId } from '../../compute/work/receipt.ts'
import { receiptLeaf } from '../../compute/work/receipt-path.ts'
import { treeRoot } from '../../compute/work/receipt-tree.ts'
import type { SubmissionHeader } from '../../compute/work/submission.ts'
import { checkSubmissionSignature, parseHeader, submissionId } from '../../compute/work/submission.ts'
import { sha256 } from '../../compute/work/tagged-hash.ts'
import { unmaturedAccount } from '../ledger/accounts.ts'
import type { JobWork } from '../rules/expected-reward.ts'
import type { Books } from './books.ts'
import { look, record } from './books.ts'
import type { EnergyTally } from './energy-tally.ts'
import { openHolds } from './holds.ts'
import type { Market } from './market.ts'
import { RefusedError } from './refused-error.ts'
import type { Registry } from './registry.ts'
import type { UnsettledWatch } from './unsettled-watch.ts'

export interface Submission {
  readonly header: Uint8Array
  readonly receipts: readonly Uint8Array[]
  readonly signature: Uint8Array
}

/** What the worker keeps: its entry's place in the log, and a signed checkpoint that covers it. */
export interface Acknowledgement {
  readonly index: number
  readonly entry: Uint8Array
  readonly path: readonly Uint8Array[]
  readonly checkpoint: string
}

export interface SubmissionDesk {
  /** Checks everything, then logs it. Durable when it returns. Throws RefusedError and the formats' own errors. */
  accept(worker: Uint8Array, submission: Submission): Acknowledgement
}

interface JobRow {
  number: bigint
  /** Null for a dataset's, which is held for good. */
  input: Uint8Array | null
  /** Null where no answer with this receipt came. */
  output: Uint8Array | null
  subnet: string
  model: Uint8Array
  item: bigint | null
  epoch: bigint
  units: bigint
  state: string
  is_private: bigint
}

interface CheckedReceipt {
  readonly id: Uint8Array
  /** Its id. */
  readonly job: Uint8Array
  readonly energy: Energy
  readonly row: JobRow
}

export function openSubmissionDesk(
  books: Books,
  parts: {
    origin: string
    registry: Registry
    market: Market
    unsettled: UnsettledWatch
    expectedRewardMsat: (work: JobWork) => bigint
    energy: EnergyTally
  },
): SubmissionDesk {
  const { db } = books
  const selectKnown = db
    .prepare<[Uint8Array], bigint>('SELECT entry_index FROM submission WHERE id = ?')
    .pluck()
  // No join: SQLite would plan it anew for every id (sqlite.org/c3ref/prepare.html), which takes longer.
  const selectJob = db.prepare<[Uint8Array, Uint8Array, Uint8Array], JobRow>(
    `SELECT number, iif(item IS NULL, input, NULL) AS input, subnet, model, item, epoch, units, state, is_private,
            (SELECT output FROM result WHERE job = number AND receipt = ?) AS output
       FROM job WHERE id = ? AND worker = ?`,
  )
  const insertSubmission = db.prepare(
    'INSERT INTO submission (entry_index, id, worker, sequence, count, unmatured_msat) VALUES (?, ?, ?, ?, ?, ?)',
  )
  const insertReceipt = db.prepare(
    'INSERT INTO receipt (id, submission, position, job, reward_msat) VALUES (?, ?, ?, ?, ?)',
  )
  const advanceChain = db.prepare(
    'UPDATE worker SET next_sequence = next_sequence + 1, previous = ? WHERE key = ? AND next_sequence = ?',
  )
  // A call for all rows costs a fifth of one for each. OR FAIL: what fails takes the whole transaction along, so there
  // is nothing for SQLite to journal for undoing the statement alone.
  const setSubmitted = db.prepare(
    `UPDATE OR FAIL job SET state = 'submitted' WHERE number IN (SELECT job FROM receipt WHERE submission = ?) AND +state = 'answered'`,
  )
  const holds = openHolds(books)
  const setItemsDone = db.prepare(
    `UPDATE OR FAIL item SET state = 'done' WHERE (subnet, model, item) IN
       (SELECT subnet, model, item FROM receipt JOIN job ON number = job WHERE submission = ? AND item IS NOT NULL)`,
  )

  function accept(worker: Uint8Array, submission: Submission): Acknowledgement {
    const header = parseHeader(submission.header)
    if (Buffer.compare(header.worker, worker) !== 0) {
      throw new RefusedError(403, 'worker_mismatch', 'the submission is of another worker than the request')
    }
    if (!checkSubmissionSignature(submission.header, parts.origin, submission.signature)) {
      throw new RefusedError(400, 'signature_invalid', 'the header is not signed by its worker for this log')
    }
    const id = submissionId(submission.header)
    refuseDuplicate(id)
    checkChain(header)
    const receipts = look(books, () => checkReceipts(header, submission.receipts))
    parts.unsettled.take(receipts.length)
    const list = encodeCbor(submission.receipts)
    books.blobs.putSync(list)
    const unmaturedMsat = books.ledger.balance(unmaturedAccount(hex(worker))).postedMsat
    const { signature } = submission
    const entry = {
      v: 1,
      kind: 'submission',
      header: submission.header,
      signature,
      receipts: sha256(list),
    } as const
    const index = record(books, entry, (entryIndex) => {
      // What is of the present epoch has been held for it since it was leased and answered.
      const present = holds.present()
      for (const { row } of receipts.filter(({ row }) => row.epoch < present)) {
        const digests = [row.input, row.output].filter((digest) => digest !== null)
        holds.hold(digests, row.is_private === 1n, present)
      }
      insertSubmission.run(entryIndex, id, worker, header.sequence, header.count, unmaturedMsat)
      for (const [position, { id, job, row }] of receipts.entries()) {
        if (row.state !== 'answered') throw jobTaken(job)
        insertReceipt.run(id, entryIndex, position, row.number, parts.expectedRewardMsat(row))
      }
      if (setSubmitted.run(entryIndex).changes !== receipts.length) throw new Error('a job moved in between')
      setItemsDone.run(entryIndex)
      if (advanceChain.run(id, worker, header.sequence).changes !== 1)
        throw new Error('the chain moved in between')
      return entryIndex
    })
    for (const { row, energy } of receipts) parts.energy.add(row.subnet, row.units, energy)
    return acknowledge(index)
  }

  function refuseDuplicate(id: Uint8Array): void {
    const known = selectKnown.get(id)
    if (known === undefined) return
    const acknowledgement = Buffer.from(encodeCbor(acknowledge(Number(known)))).toString('base64')
    throw new RefusedError(409, 'submission_duplicate', `it is entry ${known} of the log already`, {
      extensions: { acknowledgement },
    })
  }

  function checkChain(header: SubmissionHeader): void {
    const row = parts.registry.find(header.worker)
    if (row === null) throw new RefusedError(404, 'worker_unknown', 'this key is not registered')
    if (header.sequence === row.nextSequence && Buffer.compare(header.previous, row.previous) === 0) return
    const previous = hex(row.previous)
    throw new RefusedError(
      409,
      'sequence_mismatch',
      `expected sequence ${row.nextSequence} after ${previous}`,
      {
        extensions: { nextSequence: row.nextSequence, previous },
      },
    )
  }

  function checkReceipts(header: SubmissionHeader, list: readonly Uint8Array[]): CheckedReceipt[] {
    if (list.length !== header.count) {
      throw new RefusedError(
        400,
        'count_mismatch',
        `the header says ${header.count} receipts, ${list.length} came`,
      )
    }
    const receipts = list.map((bytes) => ({ bytes, id: receiptId(bytes) }))
    if (Buffer.compare(treeRoot(receipts.map(({ id }) => receiptLeaf(id))), header.root) !== 0) {
      throw new RefusedError(400, 'root_mismatch', 'the receipts do not lead to the root in the header')
    }
    const missing: string[] = []
    const jobs = new Set<bigint>()
    const checked = receipts.map(({ bytes, id }, position) => {
      const receipt = parseReceipt(bytes)
      if (receipt.index !== position) {
        throw new RefusedError(
          400,
          'index_mismatch',
          `receipt ${position} says that its index is ${receipt.index}`,
        )
      }
      const row = selectJob.get(id, receipt.job, header.worker)
      if (row === undefined) {
        throw new RefusedError(
          404,
          'job_unknown',
          `receipt ${position}: no such job was leased to this worker`,
        )
      }
      if (row.state === 'submitted' || jobs.has(row.number)) throw jobTaken(receipt.job)
      jobs.add(row.number)
      checkProfile(receipt, row, position)
      if (!areHeld(row)) missing.push(hex(id))
      return { id, job: receipt.job, energy: receipt.energy, row }
    })
    if (missing.length > 0) {
      throw new RefusedError(
        409,
        'outputs_missing',
        `the outputs of ${missing.length} receipts are not held yet`,
        {
          extensions: { receipts: missing },
        },
      )
    }
    return checked
  }

  function areHeld({ input, output }: JobRow): boolean {
    const isHeld = (digest: Uint8Array) => books.blobs.has(hex(digest))
    return output !== null && isHeld(output) && (input === null || isHeld(input))
  }

  function checkProfile({ profile }: Receipt, row: JobRow, position: number): void {
    const model = parts.market.model(row.subnet, row.model, Number(row.epoch))?.model
    if (model === undefined)
      throw new RefusedError(404, 'model_unknown', `receipt ${position}: unknown model`)
    const items = Number(row.units / BigInt(model.unitsPerItem))
    const wrong = profileMismatch(model.profile, items, profile)
    if (wrong !== null) {
      throw new RefusedError(
        400,
        'profile_mismatch',
        `receipt ${position}: profile.${wrong.key}: expected ${wrong.expected}, received ${wrong.received}`,
      )
    }
  }

  function acknowledge(index: number): Acknowledgement {
    const size = books.log.size()
    return {
      index,
      entry: books.log.entry(index),
      path: books.log.proveRecord(index, size),
      checkpoint: books.log.checkpoint(),
    }
  }

  return { accept }
}

function jobTaken(job: Uint8Array): RefusedError {
  return new RefusedError(409, 'job_already_submitted', `job ${hex(job)} is in a submission already`)
}
