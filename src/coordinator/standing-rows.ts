import type { Database } from 'better-sqlite3'
import { z } from 'zod'
import { hex } from '../../compute/work/hex.ts'
import type { AuditorRecords } from '../rules/canaries.ts'
import { type Standing, standingOf } from '../rules/cusum.ts'
import { evidenceOf } from '../rules/cusum-evidence.ts'
import { ratioOf } from '../rules/sampling.ts'
import {
  type AuditedReceipt,
  modelKey,
  NO_RECORD,
  type Standings,
  type WorkerRecord,
} from '../rules/standings.ts'
import type { Market } from './market.ts'

interface StandingRow {
  score: bigint
  failed_by: string
  fails: string
}

interface AuditedRow {
  worker: Uint8Array
  subnet: string
  model: Uint8Array
  epoch: bigint
}

interface AsideRow {
  entry_index: bigint
  receipt: Uint8Array
  auditor: Uint8Array
  verdict: AuditedReceipt['verdict']
}

const failedByList = z.array(z.string())
const failList = z.array(z.strictObject({ entry: z.int(), receipt: z.string(), model: z.string() }))

export interface StandingRows extends Standings, AuditorRecords {
  standingOf(worker: Uint8Array): Standing
  setStatusEntry(worker: string, entryIndex: number): void
  setFrozenEntry(model: string, entryIndex: number): void
  frozen(): { readonly model: string; readonly entry: number }[]
  /** A verdict on a receipt, with all that the statistic asks of it. */
  audited(
    verdict: Pick<AuditedReceipt, 'entry' | 'verdict'> & Record<'receipt' | 'auditor', Uint8Array>,
  ): AuditedReceipt
}

/** What is known of the workers, in the coordinator's tables. Writes join the caller's transaction. */
export function openStandingRows(db: Database, market: Pick<Market, 'model'>): StandingRows {
  const selectRecord = db.prepare<[Uint8Array], StandingRow>(
    'SELECT score, failed_by, fails FROM standing WHERE worker = ?',
  )
  const upsertRecord = db.prepare(
    `INSERT INTO standing (worker, score, failed_by, fails, standing) VALUES (@worker, @score, @failedBy, @fails, @standing)
     ON CONFLICT (worker) DO UPDATE SET score = @score, failed_by = @failedBy, fails = @fails, standing = @standing`,
  )
  const selectAuditor = db.prepare<[Uint8Array], StandingRow>(
    'SELECT score, failed_by, fails FROM auditor_record WHERE auditor = ?',
  )
  const replaceAuditor = db.prepare(
    'REPLACE INTO auditor_record (auditor, score, failed_by, fails) VALUES (?, ?, ?, ?)',
  )
  const selectStanding = db
    .prepare<[Uint8Array], Standing>('SELECT standing FROM standing WHERE worker = ?')
    .pluck()
  const setStatus = db.prepare('UPDATE standing SET status_entry = ? WHERE worker = ?')
  const selectFrozen = db.prepare<[string], bigint>('SELECT 1 FROM frozen_model WHERE model = ?').pluck()
  // The entry that says so is written a moment later, in the same transaction.
  const insertFrozen = db.prepare('INSERT INTO frozen_model (model) VALUES (?)')
  const selectAllFrozen = db.prepare<[], { model: string; status_entry: bigint }>(
    'SELECT model, status_entry FROM frozen_model ORDER BY model',
  )
  const setFrozen = db.prepare('UPDATE frozen_model SET status_entry = ? WHERE model = ?')
  const deleteFrozen = db.prepare('DELETE FROM frozen_model WHERE model = ?')
  const insertAside = db.prepare(
    'INSERT INTO audit_aside (model, entry_index, receipt, auditor, verdict) VALUES (?, ?, ?, ?, ?)',
  )
  const selectAside = db.prepare<[string], AsideRow>(
    'SELECT entry_index, receipt, auditor, verdict FROM audit_aside WHERE model = ? ORDER BY position',
  )
  const deleteAside = db.prepare('DELETE FROM audit_aside WHERE model = ?')
  const upsertAudit = db.prepare(
    `INSERT INTO model_audit (model, worker, entry_index) VALUES (?, ?, ?)
     ON CONFLICT (model, worker) DO UPDATE SET entry_index = excluded.entry_index`,
  )
  const selectAudited = db.prepare<[string, number], { worker: Uint8Array; address: string }>(
    `SELECT model_audit.worker, address FROM model_audit JOIN worker ON worker.key = model_audit.worker
      WHERE model = ? AND model_audit.entry_index >= ?`,
  )
  const selectSuspected = db.prepare<[], { worker: Uint8Array; fails: string }>(
    'SELECT worker, fails FROM standing WHERE score > 0 ORDER BY worker',
  )
  const selectReceipt = db.prepare<[Uint8Array], AuditedRow>(
    'SELECT worker, subnet, model, epoch FROM receipt JOIN job ON job.number = receipt.job WHERE receipt.id = ?',
  )

  function audited({
    entry,
    verdict,
    receipt,
    auditor,
  }: Parameters<StandingRows['audited']>[0]): AuditedReceipt {
    const row = selectReceipt.get(receipt)
    const found = row === undefined ? null : market.model(row.subnet, row.model, Number(row.epoch))
    if (row === undefined || found === null)
      throw new Error(`the model of receipt ${hex(receipt)} is unknown`)
    return {
      entry,
      verdict,
      receipt: hex(receipt),
      auditor: hex(auditor),
      worker: hex(row.worker),
      model: modelKey(row.subnet, row.model),
      evidence: evidenceOf(ratioOf(found.model.falseFailRate)),
    }
  }

  return {
    recordOf: (worker) => recordIn(selectRecord.get(bytes(worker))),
    auditorRecordOf: (auditor) => recordIn(selectAuditor.get(bytes(auditor))),
    setAuditorRecord(auditor, { suspicion: { score, failedBy }, fails }) {
      replaceAuditor.run(bytes(auditor), score, JSON.stringify(failedBy), JSON.stringify(fails))
    },
    setRecord(worker, { suspicion, fails }: WorkerRecord) {
      upsertRecord.run({
        worker: bytes(worker),
        score: suspicion.score,
        failedBy: JSON.stringify(suspicion.failedBy),
        fails: JSON.stringify(fails),
        standing: standingOf(suspicion),
      })
    },
    isFrozen: (model) => selectFrozen.get(model) !== undefined,
    freeze: (model) => void insertFrozen.run(model),
    thaw(model) {
      const aside = selectAside
        .all(model)
        .map(({ entry_index, ...row }) => audited({ ...row, entry: Number(entry_index) }))
      deleteAside.run(model)
      deleteFrozen.run(model)
      return aside
    },
    setAside({ model, entry, receipt, auditor, verdict }) {
      insertAside.run(model, entry, bytes(receipt), bytes(auditor), verdict)
    },
    noteAudit({ model, worker, entry }) {
      upsertAudit.run(model, bytes(worker), entry)
    },
    auditedSince: (model, entry) =>
      selectAudited.all(model, entry).map(({ worker, address }) => ({ worker: hex(worker), address })),
    failedOn: (model) =>
      selectSuspected
        .all()
        .filter(({ fails }) => failList.parse(JSON.parse(fails)).some((fail) => fail.model === model))
        .map(({ worker }) => hex(worker)),
    standingOf: (worker) => selectStanding.get(worker) ?? 'good',
    setStatusEntry: (worker, entryIndex) => void setStatus.run(entryIndex, bytes(worker)),
    setFrozenEntry: (model, entryIndex) => void setFrozen.run(entryIndex, model),
    frozen: () =>
      selectAllFrozen.all().map(({ model, status_entry }) => ({ model, entry: Number(status_entry) })),
    audited,
  }
}

function recordIn(row: StandingRow | undefined): WorkerRecord {
  if (row === undefined || row.score === 0n) return NO_RECORD
  return {
    suspicion: { score: row.score, failedBy: failedByList.parse(JSON.parse(row.failed_by)) },
    fails: failList.parse(JSON.parse(row.fails)),
  }
}

function bytes(hexText: string): Uint8Array {
  return Buffer.from(hexText, 'hex')
}
