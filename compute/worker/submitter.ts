import assert from 'node:assert/strict'
import { hex } from '../work/hex.ts'
import { receiptId } from '../work/receipt.ts'
import { receiptLeaf } from '../work/receipt-path.ts'
import { treeRoot } from '../work/receipt-tree.ts'
import { encodeHeader, parseHeader, signSubmission, submissionId } from '../work/submission.ts'
import { publicKeyOf } from '../work/worker-key.ts'
import { type CheckAcknowledgement, parseAcknowledgement } from './acknowledgement.ts'
import type { Bell } from './bell.ts'
import { ChainError } from './chain-error.ts'
import type { CoordinatorClient } from './coordinator-client.ts'
import { CoordinatorError } from './coordinator-error.ts'
import { judgeRefusal } from './judge-refusal.ts'
import type { ResultSender } from './result-sender.ts'
import type { ChainHead, SealedHeader, Spool } from './spool.ts'
import type { OnWorkerEvent } from './worker-event.ts'

/** One signature (2.2 ms) over 256 receipts is 9 µs each. */
const DUE_RECEIPTS = 256
/** Nothing more seems to come: why wait. */
const DUE_AFTER_QUIET_MS = 50
/** A receipt is acknowledged within a second (DESIGN §5). */
const DUE_AFTER_MS = 500
/** Each round cures one complaint of the coordinator's; an honest one has four at most. */
const MAX_ROUNDS = 8

const FIRST: ChainHead = { sequence: 0, previous: new Uint8Array(32) }

/** Turns delivered receipts into signed, acknowledged submissions, one after the other: they form a chain. */
interface Submitter {
  /** Compares the worker's chain with the log's. Throws ChainError, CoordinatorError. */
  resume(): Promise<void>
  /** Until `isClosing()` and nothing is left. Throws ChainError, CoordinatorError. */
  run(isClosing: () => boolean): Promise<void>
}

export function createSubmitter(o: {
  client: CoordinatorClient
  spool: Spool
  sender: ResultSender
  bell: Bell
  origin: string
  secretKey: Uint8Array
  checkAcknowledgement: CheckAcknowledgement
  onEvent: OnWorkerEvent
}): Submitter {
  const { client, spool, sender, bell } = o
  const worker = publicKeyOf(o.secretKey)
  let head = spool.head() ?? FIRST
  /** Whatever waits when the last batch is done came after this. */
  let closedMs = Number.NEGATIVE_INFINITY

  /**
   * Takes over the log's head when the log is ahead: another copy of this worker, or this folder before it was restored,
   * has submitted. Our receipts lose nothing, since they are unsealed and signed again behind it; were their header
   * in the log, it would have answered `submission_duplicate`. When the log is behind or differs, signing on would fork
   * the chain: that is for a person, who has the acknowledgements.
   *
   * @returns whether the head has moved
   */
  async function resync(): Promise<boolean> {
    const { nextSequence, previous } = await client.chain(worker)
    const own = `own sequence ${head.sequence}, the log's ${nextSequence}`
    if (nextSequence < head.sequence) throw new ChainError('chain_behind', own)
    if (nextSequence > head.sequence) {
      o.onEvent({ type: 'warning', code: 'chain_resynced', detail: own })
      head = { sequence: nextSequence, previous }
      return true
    }
    if (Buffer.compare(previous, head.previous) === 0) return false
    throw new ChainError('chain_forked', `sequence ${nextSequence} follows another submission in the log`)
  }

  /** The next batch to submit, closed; null when closing and nothing is left. */
  async function nextBatch(isClosing: () => boolean): Promise<number | null> {
    let firstMs = spool.oldestBatch() === null ? null : closedMs
    let lastMs = 0
    let seen = 0
    for (;;) {
      const oldest = spool.oldestBatch()
      if (oldest === null) {
        if (isClosing() && sender.isIdle()) return null
        await bell.wait()
        continue
      }
      const nowMs = performance.now()
      firstMs ??= nowMs
      if (oldest.receipts !== seen) lastMs = nowMs
      seen = oldest.receipts
      const dueMs = Math.min(firstMs + DUE_AFTER_MS, lastMs + DUE_AFTER_QUIET_MS)
      if (isClosing() || seen >= DUE_RECEIPTS || nowMs >= dueMs) {
        spool.close(oldest.batch)
        closedMs = nowMs
        return oldest.batch
      }
      await bell.wait(Math.ceil(dueMs - nowMs))
    }
  }

  function seal(batch: number, receipts: readonly Uint8Array[]): SealedHeader {
    const root = treeRoot(receipts.map((receipt) => receiptLeaf(receiptId(receipt))))
    const header = encodeHeader({ v: 1, worker, ...head, count: receipts.length, root, time: Date.now() })
    const sealed = { header, signature: signSubmission(header, o.origin, o.secretKey) }
    // Persisted before it is sent: another header of this sequence is signed only once the log has refused this one.
    spool.seal(batch, sealed)
    return sealed
  }

  function accept(batch: number, { header }: SealedHeader, acknowledgement: Uint8Array): void {
    const parsed = parseAcknowledgement(acknowledgement, header)
    // Acknowledged work is deleted: the log's signed word for it must hold first.
    o.checkAcknowledgement(parsed)
    const { sequence, count } = parseHeader(header)
    spool.acknowledge(batch, acknowledgement)
    head = { sequence: sequence + 1, previous: submissionId(header) }
    bell.ring()
    o.onEvent({ type: 'submitted', sequence, receipts: count, index: parsed.index })
  }

  async function submit(batch: number): Promise<void> {
    for (let round = 0; round < MAX_ROUNDS; round++) {
      // Closed: none joins it any more.
      const ids = spool.idsOf(batch)
      while (!sender.isSent(ids)) await bell.wait()
      const receipts = spool.receipts(batch)
      if (receipts.length === 0) return
      const sealed = spool.sealed(batch) ?? seal(batch, receipts)
      try {
        accept(batch, sealed, await client.submit({ ...sealed, receipts }))
        return
      } catch (error) {
        if (!(error instanceof CoordinatorError)) throw error
        if (await cure(batch, sealed, receipts, error)) return
      }
    }
    throw new CoordinatorError({ code: 'submission_stuck', detail: `refused ${MAX_ROUNDS} times in a row` })
  }

  function refuse(
    batch: number,
    [receipt]: readonly Uint8Array[],
    { code, message }: CoordinatorError,
  ): void {
    o.onEvent({ type: 'refused', receipt: idOf(receipt), code, detail: message })
    for (const id of spool.idsOf(batch)) spool.drop(id)
  }

  /** Does what the refusal asks for; true when the batch is done with. */
  async function cure(
    batch: number,
    sealed: SealedHeader,
    receipts: readonly Uint8Array[],
    error: CoordinatorError,
  ): Promise<boolean> {
    const refusal = judgeRefusal(error)
    switch (refusal.kind) {
      case 'duplicate':
        accept(batch, sealed, refusal.acknowledgement)
        return true
      case 'outputs_missing': {
        const missing = spool.idsOf(batch).filter((_, i) => refusal.receipts.has(idOf(receipts[i])))
        sender.send(missing)
        return false
      }
      case 'sequence':
        // The log's head is ours, and yet it refuses: another header of the same sequence would be a guess.
        if (!(await resync())) throw error
        spool.unseal(batch)
        return false
      case 'receipt':
        // Halving finds the receipt in a few rounds, whatever the coordinator says about it.
        if (receipts.length > 1) sender.send(spool.split(batch))
        else refuse(batch, receipts, error)
        return true
      case 'fatal':
        throw error
    }
  }

  return {
    async resume() {
      // A sealed submission may be in the log already, its acknowledgement lost: sending it again will tell.
      const oldest = spool.oldestBatch()
      if (oldest === null || spool.sealed(oldest.batch) === null) await resync()
    },
    async run(isClosing) {
      for (let batch = await nextBatch(isClosing); batch !== null; batch = await nextBatch(isClosing)) {
        await submit(batch)
      }
    },
  }
}

function idOf(receipt: Uint8Array | undefined): string {
  assert(receipt !== undefined)
  return hex(receiptId(receipt))
}
