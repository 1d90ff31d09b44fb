import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import type { Energy, ExecutionProfile } from '../work/receipt.ts'
import { encodeReceipt, outputCommitment, parseReceipt } from '../work/receipt.ts'
import { parseHeader, submissionId } from '../work/submission.ts'
import { bundleDigest } from '../work/tensor-bundle.ts'
import type { Result } from './coordinator-client.ts'
import { openSpoolDatabase } from './open-spool-database.ts'
import { syncWal } from './sync-wal.ts'

/**
 * Bounds a submission's body (1.4 MB of receipts) and what one refused receipt can hold up. Above the 256 that make
 * a submission due, so that a slow line sends larger submissions, not more of them.
 */
const MAX_BATCH = 4_096
/** Evidence of the last submissions: some hundred bytes each, 64 KiB at most. */
const MAX_ACKNOWLEDGED = 4_096

/** What a run gave; its receipt is made when it is spooled. */
export interface FinishedRun {
  /** Job id. */
  readonly job: Uint8Array
  readonly outputs: Uint8Array
  readonly startedMs: number
  readonly finishedMs: number
  readonly profile: ExecutionProfile
  readonly energy: Energy
}

export interface SealedHeader {
  readonly header: Uint8Array
  readonly signature: Uint8Array
}

/** The next submission's place in the worker's chain. */
export interface ChainHead {
  readonly sequence: number
  readonly previous: Uint8Array
}

export interface SpooledResult extends Result {
  readonly id: number
}

interface Batch {
  readonly batch: number
  readonly receipts: number
}

/** Receipts by their row ids, in batches. Every change but `append` is on the disk when its call returns, and what was before it. */
export interface Spool {
  /** A crash of the process does not take it; a power cut may, before `sync`. */
  append(runs: readonly FinishedRun[]): number[]
  /** What has been appended by now is on the disk, without blocking the thread. Throws SpoolError. */
  sync(): Promise<void>
  result(id: number): SpooledResult | null
  ids(): number[]
  backlog(): { receipts: number; bytes: number }
  oldestBatch(): Batch | null
  /** Receipts that come from now on join a later batch. */
  close(batch: number): void
  idsOf(batch: number): number[]
  receipts(batch: number): Uint8Array[]
  sealed(batch: number): SealedHeader | null
  seal(batch: number, sealed: SealedHeader): void
  unseal(batch: number): void
  /** Removes a receipt. Those behind it move up, are other receipts then, and are given back. Unseals. */
  drop(id: number): number[]
  /** Moves a batch's second half to the last batch; gives back the moved. Unseals. */
  split(batch: number): number[]
  acknowledge(batch: number, acknowledgement: Uint8Array): void
  /** After the newest acknowledged submission; null before the first. */
  head(): ChainHead | null
  closeFile(): void
}

interface ResultRow {
  id: number
  position: number
  receipt: Uint8Array
}

/** Throws SpoolError. */
export function openSpool(path: string): Spool {
  const db = openSpoolDatabase(path)
  const insert = db.prepare(
    'INSERT INTO result (batch, position, receipt, outputs, salt) VALUES (?, ?, ?, ?, ?)',
  )
  const select = db.prepare<[number], SpooledResult>(
    'SELECT id, receipt, outputs, salt FROM result WHERE id = ?',
  )
  const selectBatch = db.prepare<[number], ResultRow>(
    'SELECT id, position, receipt FROM result WHERE batch = ? ORDER BY position',
  )
  const selectIds = db.prepare<[], number>('SELECT id FROM result ORDER BY batch, position').pluck()
  // Positions have no gaps, and the last one is found without a walk through the batch.
  const countBatch = db
    .prepare<[number], number>('SELECT coalesce(max(position) + 1, 0) FROM result WHERE batch = ?')
    .pluck()
  const selectOldest = db.prepare<[], Batch>(
    `SELECT batch, position + 1 AS receipts FROM result WHERE batch = (SELECT min(batch) FROM result)
     ORDER BY position DESC LIMIT 1`,
  )
  const selectBacklog = db.prepare<[], { receipts: number; bytes: number }>(
    'SELECT count(*) AS receipts, coalesce(sum(length(outputs)), 0) AS bytes FROM result',
  )
  const move = db.prepare('UPDATE result SET batch = ?, position = ?, receipt = ? WHERE id = ?')
  const remove = db.prepare<[number], number>('DELETE FROM result WHERE id = ? RETURNING batch').pluck()
  const removeBatch = db.prepare('DELETE FROM result WHERE batch = ?')
  const selectSealed = db.prepare<[number], SealedHeader>(
    'SELECT header, signature FROM sealed WHERE batch = ?',
  )
  const insertSealed = db.prepare('INSERT INTO sealed (batch, header, signature) VALUES (?, ?, ?)')
  const removeSealed = db.prepare('DELETE FROM sealed WHERE batch = ?')
  const insertAcknowledged = db.prepare(
    'INSERT INTO acknowledged (sequence, header, acknowledgement) VALUES (?, ?, ?)',
  )
  const removeAcknowledged = db.prepare('DELETE FROM acknowledged WHERE sequence <= ?')
  const selectLast = db
    .prepare<[], Uint8Array>('SELECT header FROM acknowledged ORDER BY sequence DESC LIMIT 1')
    .pluck()

  // A sealed batch is closed for good; an unsealed one goes on where it stopped.
  const newest = db.prepare<[], number | null>('SELECT max(batch) FROM result').pluck().get() ?? 0
  let openBatch = selectSealed.get(newest) === undefined ? newest : newest + 1

  function place(): { batch: number; position: number } {
    const position = countBatch.get(openBatch) ?? 0
    if (position < MAX_BATCH) return { batch: openBatch, position }
    return { batch: ++openBatch, position: 0 }
  }

  /** A receipt names its position, so a moved one is another receipt. */
  function moveTo(row: ResultRow, to: { batch: number; position: number }): void {
    const receipt = encodeReceipt({ ...parseReceipt(row.receipt), index: to.position })
    move.run(to.batch, to.position, receipt, row.id)
  }

  const append = db.transaction((runs: readonly FinishedRun[]) =>
    runs.map(({ job, outputs, startedMs, finishedMs, profile, energy }) => {
      const { batch, position } = place()
      const salt = randomBytes(32)
      const receipt = encodeReceipt({
        v: 1,
        job,
        output: outputCommitment(salt, bundleDigest(outputs)),
        index: position,
        profile,
        started: startedMs,
        finished: finishedMs,
        energy,
      })
      return Number(insert.run(batch, position, receipt, outputs, salt).lastInsertRowid)
    }),
  )

  /**
   * A power cut leaves whole commits, in order; before they go into the database SQLite syncs them itself
   * (sqlite.org/pragma.html#pragma_synchronous).
   */
  function appendUnsynced(runs: readonly FinishedRun[]): number[] {
    db.pragma('synchronous = NORMAL')
    try {
      return append(runs)
    } finally {
      db.pragma('synchronous = FULL')
    }
  }

  const drop = db.transaction((id: number) => {
    const batch = remove.get(id)
    if (batch === undefined) return []
    removeSealed.run(batch)
    const moved = [...selectBatch.all(batch).entries()].filter(([rank, row]) => row.position !== rank)
    for (const [position, row] of moved) moveTo(row, { batch, position })
    return moved.map(([, row]) => row.id)
  })

  const split = db.transaction((batch: number) => {
    removeSealed.run(batch)
    const rows = selectBatch.all(batch)
    const moved = rows.slice(Math.ceil(rows.length / 2))
    for (const row of moved) moveTo(row, place())
    return moved.map(({ id }) => id)
  })

  const acknowledge = db.transaction((batch: number, acknowledgement: Uint8Array) => {
    const header = selectSealed.get(batch)?.header
    assert(header !== undefined)
    const { sequence } = parseHeader(header)
    insertAcknowledged.run(sequence, header, acknowledgement)
    removeAcknowledged.run(sequence - MAX_ACKNOWLEDGED)
    removeBatch.run(batch)
    removeSealed.run(batch)
  })

  return {
    append: appendUnsynced,
    sync: () => syncWal(path),
    result: (id) => select.get(id) ?? null,
    ids: () => selectIds.all(),
    backlog: () => selectBacklog.get() ?? { receipts: 0, bytes: 0 },
    oldestBatch: () => selectOldest.get() ?? null,
    close(batch) {
      openBatch = Math.max(openBatch, batch + 1)
    },
    idsOf: (batch) => selectBatch.all(batch).map(({ id }) => id),
    receipts: (batch) => selectBatch.all(batch).map(({ receipt }) => receipt),
    sealed: (batch) => selectSealed.get(batch) ?? null,
    seal: (batch, { header, signature }) => void insertSealed.run(batch, header, signature),
    unseal: (batch) => void removeSealed.run(batch),
    drop,
    split,
    acknowledge,
    head() {
      const header = selectLast.get()
      if (header === undefined) return null
      return { sequence: parseHeader(header).sequence + 1, previous: submissionId(header) }
    },
    closeFile: () => void db.close(),
  }
}
