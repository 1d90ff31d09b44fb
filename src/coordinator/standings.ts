import { forfeitEntry, statusEntry, workerStatus } from '../log/standing-entry.ts'
import type { Anchored } from '../rules/anchored.ts'
import { type Standing, standingOf } from '../rules/cusum.ts'
import {
  type Fail,
  modelKey,
  NO_RECORD,
  observeAudits,
  type StandingChange,
  thawModel,
} from '../rules/standings.ts'
import { type Books, record } from './books.ts'
import type { Maturing } from './maturing.ts'
import { RefusedError } from './refused-error.ts'
import type { StandingRows } from './standing-rows.ts'

/** What each worker's verdicts have come to, and what follows: nothing matures, nothing is leased, money is forfeited. */
export interface StandingDesk {
  /** Joins the transaction of the `verdict` entry, and logs every line that it crosses. */
  observe(verdicts: readonly JudgedReceipt[]): void
  /** Ends suspensions at their heights. @returns how many. */
  returnDue(tip: number, anchored: Anchored): number
  /** The operator's word on a frozen model. @returns its entry's index. Throws RefusedError `model_not_frozen`. */
  thaw(model: { subnet: string; digest: Uint8Array }, how: 'recalibrated' | 'upheld'): number
  /** Throws RefusedError `worker_suspended`. */
  assertMayWork(worker: Uint8Array): void
  of(worker: Uint8Array, anchored: Anchored): WorkerStanding
  frozen(): readonly { readonly model: string; readonly entry: number }[]
}

type JudgedReceipt = Parameters<StandingRows['audited']>[0]

/** A worker's own view of itself. */
interface WorkerStanding {
  readonly standing: Standing
  /** 16 suspend, 8 hold. */
  readonly scoreNats: number
  /** The `status` entry that last said so; null: none was needed yet. */
  readonly since: number | null
  /** Fails since it was last beyond doubt. */
  readonly fails: readonly Omit<Fail, 'model'>[]
  /** Where it is suspended, and the anchor of that is final. */
  readonly returnHeight: number | null
  readonly forfeited: readonly { readonly entry: number; readonly msat: bigint }[]
}

interface SuspensionRow {
  status_entry: bigint
  worker: Uint8Array
}

const NATS_PER_UNIT = 2 ** -32

export function openStandingDesk(
  books: Books,
  parts: { rows: StandingRows; maturing: Maturing; suspensionBlocks: number },
): StandingDesk {
  const { db } = books
  const { rows, maturing, suspensionBlocks } = parts
  const insertSuspension = db.prepare('INSERT INTO suspension (status_entry, worker) VALUES (?, ?)')
  const setForfeit = db.prepare(
    'UPDATE suspension SET forfeit_entry = ?, forfeited_msat = ? WHERE status_entry = ? AND forfeit_entry IS NULL',
  )
  const selectServing = db.prepare<[], SuspensionRow>(
    'SELECT status_entry, worker FROM suspension WHERE returned_entry IS NULL ORDER BY status_entry',
  )
  const setReturned = db.prepare(
    'UPDATE suspension SET returned_entry = ? WHERE status_entry = ? AND returned_entry IS NULL',
  )
  const selectSince = db
    .prepare<[Uint8Array], bigint | null>('SELECT status_entry FROM standing WHERE worker = ?')
    .pluck()
  const selectForfeits = db.prepare<[Uint8Array], { entry: bigint; msat: bigint }>(
    `SELECT forfeit_entry AS entry, forfeited_msat AS msat FROM suspension
      WHERE worker = ? AND forfeit_entry IS NOT NULL ORDER BY forfeit_entry`,
  )

  /** In the transaction of the entry that brought them. */
  function log(changes: readonly StandingChange[]): void {
    for (const change of changes) {
      const entry = record(books, statusEntry(change), (index) => index)
      if (change.subject === 'model') rows.setFrozenEntry(change.model, entry)
      else {
        rows.setStatusEntry(change.worker, entry)
        if (change.standing === 'suspended') suspend(change, entry)
      }
    }
  }

  function suspend(
    { worker: hex, record: known }: StandingChange & { subject: 'worker' },
    status: number,
  ): void {
    const worker = Buffer.from(hex, 'hex')
    insertSuspension.run(status, worker)
    const msat = maturing.unmaturedMsat(worker, 'all')
    if (msat === 0n) return
    record(books, forfeitEntry(hex, known, { status, msat }), (index) => {
      maturing.forfeit(worker, index, 'all')
      setForfeit.run(index, msat, status)
    })
  }

  function returnHeight(status: number, anchored: Anchored): number | null {
    const anchor = anchored.firstFinal(status)
    return anchor === null ? null : anchor.height + suspensionBlocks
  }

  return {
    observe(verdicts) {
      const changes = observeAudits(rows, verdicts.map(rows.audited))
      log(changes)
      if (changes.length > 0) maturing.release(books.log.size() - 1)
    },

    returnDue(tip, anchored) {
      let returned = 0
      for (const { status_entry, worker } of selectServing.all()) {
        const height = returnHeight(Number(status_entry), anchored)
        if (height === null || height > tip) continue
        const key = Buffer.from(worker).toString('hex')
        record(books, workerStatus(key, 'returned', NO_RECORD, height), (index) => {
          rows.setRecord(key, NO_RECORD)
          rows.setStatusEntry(key, index)
          if (setReturned.run(index, status_entry).changes !== 1)
            throw new Error(`${key} has returned already`)
        })
        returned += 1
      }
      return returned
    },

    thaw({ subnet, digest: model }, how) {
      const key = modelKey(subnet, model)
      if (!rows.isFrozen(key)) throw new RefusedError(409, 'model_not_frozen', `${key} is not frozen`)
      const entry = { v: 1, kind: 'status', subject: 'model', subnet, model } as const
      return record(books, { ...entry, status: how, workers: [] }, (index) => {
        log(thawModel(rows, key, how))
        maturing.release(books.log.size() - 1)
        return index
      })
    },

    assertMayWork(worker) {
      if (rows.standingOf(worker) !== 'suspended') return
      const read = `/v1/workers/${Buffer.from(worker).toString('hex')}`
      throw new RefusedError(
        403,
        'worker_suspended',
        `suspended by entry ${selectSince.get(worker)} of the log for failed audits; ${read} names them, and when it may work again`,
        { extensions: { read } },
      )
    },

    of(worker, anchored) {
      const { suspicion, fails } = rows.recordOf(Buffer.from(worker).toString('hex'))
      const since = selectSince.get(worker) ?? null
      const standing = standingOf(suspicion)
      return {
        standing,
        scoreNats: Number(suspicion.score) * NATS_PER_UNIT,
        since: since === null ? null : Number(since),
        fails: fails.map(({ entry, receipt }) => ({ entry, receipt })),
        returnHeight:
          standing === 'suspended' && since !== null ? returnHeight(Number(since), anchored) : null,
        forfeited: selectForfeits.all(worker).map(({ entry, msat }) => ({ entry: Number(entry), msat })),
      }
    },

    frozen: rows.frozen,
  }
}
