import { hex } from '../../compute/work/hex.ts'
import { outputCommitment, parseReceipt, ReceiptError, receiptId } from '../../compute/work/receipt.ts'
import { sha256 } from '../../compute/work/tagged-hash.ts'
import { parseTensorBundle, TensorError } from '../../compute/work/tensor-bundle.ts'
import { createGroupCommit } from '../store/group-commit.ts'
import { unsynced } from '../store/unsynced.ts'
import { type Books, look } from './books.ts'
import { openHolds } from './holds.ts'
import type { LeaseDesk } from './leases.ts'
import { RefusedError } from './refused-error.ts'

export interface Result {
  readonly receipt: Uint8Array
  readonly outputs: Uint8Array
  readonly salt: Uint8Array
}

interface ResultsAnswer {
  readonly accepted: number
  /** Unix ms: when these came, for those that had not come before. */
  readonly answeredMs: number
  readonly refused: readonly { receipt: string; code: string; detail: string }[]
}

export interface ResultDesk {
  /** Takes a worker's answers, hands them to waiting requesters, then holds the outputs; a submission that is acknowledged has brought them to the disk. Idempotent. */
  accept(worker: Uint8Array, results: readonly Result[]): Promise<ResultsAnswer>
}

interface CheckedResult {
  readonly job: Uint8Array
  /** Of its row. */
  readonly number: bigint
  /** Digest of the input bundle; null for a dataset's, which is held for good. */
  readonly input: Uint8Array | null
  readonly receiptId: Uint8Array
  readonly outputs: Uint8Array
  readonly outputDigest: Uint8Array
  readonly salt: Uint8Array
  readonly answeredMs: number
  readonly isPrivate: boolean
  /** In a submission already: there is nothing more to keep. */
  readonly isHeld: boolean
}

interface HeldJob {
  number: bigint
  /** Null for a dataset's. */
  input: Uint8Array | null
  state: string
  is_private: bigint
  output_bytes: bigint
  receipt: Uint8Array | null
  output: Uint8Array | null
}

const RESULT_ERRORS = [RefusedError, ReceiptError, TensorError]

export function openResultDesk(books: Books, leases: LeaseDesk): ResultDesk {
  const { db } = books
  const selectJob = db.prepare<[Uint8Array, Uint8Array], HeldJob>(
    // No join: see openSubmissionDesk.
    `SELECT number, iif(item IS NULL, input, NULL) AS input, state, is_private, output_bytes,
            (SELECT receipt FROM result WHERE job = number) AS receipt, (SELECT output FROM result WHERE job = number) AS output
       FROM job WHERE id = ? AND worker = ?`,
  )
  // A worker that lost its batch may answer an item again with another receipt of the same outputs, until one is in a submission.
  // The same receipt sent again was answered when it came first; a clock that is set back makes no answer older than its lease.
  const upsert = db.prepare(
    `INSERT INTO result (job, receipt, output, salt, answered_ms)
     SELECT number, ?, ?, ?, max(leased_ms, ?) FROM job WHERE number = ? AND state <> 'submitted'
     ON CONFLICT (job) DO UPDATE SET receipt = excluded.receipt, output = excluded.output, salt = excluded.salt,
       answered_ms = iif(receipt = excluded.receipt, answered_ms, excluded.answered_ms)`,
  )
  const holds = openHolds(books)
  // OR FAIL: see openSubmissionDesk.
  const setAnswered = db.prepare(
    `UPDATE OR FAIL job SET state = 'answered' WHERE number IN (SELECT value FROM json_each(?)) AND state IN ('leased', 'released')`,
  )

  /** By job: what requesters may have in hand and no disk has yet. */
  const underWay = new Map<string, Pick<CheckedResult, 'receiptId' | 'outputDigest'>>()

  const holdAll = db.transaction((fresh: readonly CheckedResult[]) => {
    const present = holds.present()
    const answered = fresh.filter(
      ({ number, receiptId, outputDigest, salt, answeredMs }) =>
        upsert.run(receiptId, outputDigest, salt, answeredMs, number).changes === 1,
    )
    setAnswered.run(`[${answered.map(({ number }) => number).join()}]`)
    for (const { input, outputDigest, isPrivate } of answered)
      holds.hold(input === null ? [outputDigest] : [input, outputDigest], isPrivate, present)
  })

  // The submission that names these receipts syncs both files before it is acknowledged; their worker keeps them until
  // then, and is told `outputs_missing` when a power cut took them.
  const hold = createGroupCommit((taken: readonly CheckedResult[]) => {
    try {
      const fresh = taken.filter(({ isHeld }) => !isHeld)
      books.blobs.putUnsynced(
        fresh.map(({ outputDigest, outputs }) => ({ name: hex(outputDigest), bytes: outputs })),
      )
      unsynced(db, () => holdAll.immediate(fresh))
    } finally {
      for (const { job } of taken) underWay.delete(hex(job))
    }
    for (const { job } of taken) leases.forget(job)
  })

  async function accept(worker: Uint8Array, results: readonly Result[]): Promise<ResultsAnswer> {
    const answeredMs = Date.now()
    const { taken, refused } = look(books, () => checkAll(worker, results, answeredMs))
    // The requester's answer never waits for the disk (DESIGN §5): the worker has these results on its own until this resolves.
    for (const { job: id, outputs, receiptId, salt: outputSalt } of taken) {
      const leased = leases.requestOf(id)
      if (leased === null) continue
      const { request, job, inputSalt } = leased
      request.settle({ answer: { outputs, receiptId, job, inputSalt, outputSalt } })
    }
    await hold(taken)
    return { accepted: taken.length, answeredMs, refused }
  }

  function checkAll(worker: Uint8Array, results: readonly Result[], answeredMs: number) {
    const refused: { receipt: string; code: string; detail: string }[] = []
    const taken: CheckedResult[] = []
    for (const result of results) {
      try {
        const checked = { ...check(worker, result), answeredMs }
        underWay.set(hex(checked.job), checked)
        taken.push(checked)
      } catch (error) {
        // What is not the result's own fault is not a refusal: the worker would throw its work away.
        if (!RESULT_ERRORS.some((type) => error instanceof type)) throw error
        const { code, message: detail } = Object(error)
        const receipt = hex(sha256(result.receipt))
        refused.push({ receipt, code: String(code), detail: String(detail) })
      }
    }
    return { taken, refused }
  }

  function check(
    worker: Uint8Array,
    { receipt: bytes, outputs, salt }: Result,
  ): Omit<CheckedResult, 'answeredMs'> {
    const receipt = parseReceipt(bytes)
    const id = receiptId(bytes)
    const job = selectJob.get(receipt.job, worker)
    if (job === undefined) {
      throw new RefusedError(404, 'job_unknown', 'no such job was leased to this worker')
    }
    const taken = underWay.get(hex(receipt.job))
    const known = taken?.receiptId ?? job.receipt
    const isSame = known !== null && Buffer.compare(known, id) === 0
    if (job.state === 'submitted' && !isSame) {
      throw new RefusedError(
        409,
        'job_already_submitted',
        'another receipt of this job is in the log already',
      )
    }
    // So late that nobody could audit it any more.
    if (job.state !== 'submitted' && job.input !== null && !books.blobs.has(hex(job.input))) {
      throw new RefusedError(410, 'job_expired', "the job's inputs are not held any more")
    }
    // The requester has this receipt's id in hand: no other one may take its place.
    if (job.input !== null && known !== null && !isSame) {
      throw new RefusedError(
        409,
        'job_already_answered',
        'the requester was given another receipt of this job',
      )
    }
    if (outputs.length > job.output_bytes) {
      throw new RefusedError(
        400,
        'output_too_large',
        `${outputs.length} bytes; by the shapes of the model's outputs at most ${job.output_bytes}`,
      )
    }
    parseTensorBundle(outputs)
    const outputDigest = sha256(outputs)
    if (Buffer.compare(receipt.output, outputCommitment(salt, outputDigest)) !== 0) {
      throw new RefusedError(
        400,
        'output_mismatch',
        "the receipt's output is not the salted digest of these outputs",
      )
    }
    // Outputs are held for days: a job has the room of one bundle. What a power cut has lost is no longer held.
    const held = taken?.outputDigest ?? job.output
    const isHeld = held !== null && (taken !== undefined || books.blobs.has(hex(held)))
    if (isHeld && Buffer.compare(held, outputDigest) !== 0) {
      throw new RefusedError(409, 'job_already_answered', 'other outputs of this job are held already')
    }
    return {
      job: receipt.job,
      number: job.number,
      input: job.input,
      receiptId: id,
      outputs,
      outputDigest,
      salt,
      isPrivate: job.is_private === 1n,
      isHeld: job.state === 'submitted',
    }
  }

  return { accept }
}
