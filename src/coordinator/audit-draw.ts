import type { Anchored } from '../rules/anchored.ts'
import { AUDIT_ROUNDS, auditorOfRound } from '../rules/audit-rounds.ts'
import type { EpochRules } from '../rules/epoch.ts'
import { beaconHeight } from '../rules/epoch.ts'
import { auditRate, isSampled, ratioOf } from '../rules/sampling.ts'
import type { Auditors } from './auditors.ts'
import type { Books } from './books.ts'
import type { Market } from './market.ts'

interface Drawable {
  entry_index: bigint
  id: Uint8Array
  worker: Uint8Array
  unmatured_msat: bigint
}

interface Redrawable {
  receipt: Uint8Array
  round: bigint
  entry_index: bigint
  id: Uint8Array
  worker: Uint8Array
  position: bigint
}

interface SampledRow {
  receipt: Uint8Array
  position: bigint
  reward_msat: bigint
  subnet: string
  model: Uint8Array
  epoch: bigint
}

type BlockHash = (height: number) => Promise<Uint8Array>

/** Rows held at a time; whatever is due is done in one call, for the settlement that follows waits for nothing. */
const BATCH_ROWS = 1_000

export interface AuditDraw {
  /** Draws every submission whose anchor and beacon are final at `tip`. @returns receipts sampled. */
  drawDue(tip: number, anchored: Anchored, blockHash: BlockHash): Promise<number>
  /** Draws again where a round was inconclusive; void after the last. @returns rounds drawn. */
  redrawDue(tip: number, anchored: Anchored, blockHash: BlockHash): Promise<number>
}

export function openAuditDraw(
  books: Books,
  parts: { market: Market; auditors: Auditors; rules: EpochRules; operator: Uint8Array },
): AuditDraw {
  const { db } = books
  const selectDue = db.prepare<[], Drawable>(
    `SELECT entry_index, id, worker, unmatured_msat FROM submission WHERE drawn_height IS NULL ORDER BY entry_index LIMIT ${BATCH_ROWS}`,
  )
  const selectReceipts = db.prepare<[bigint], SampledRow>(
    `SELECT receipt.id AS receipt, position, reward_msat, subnet, model, epoch
       FROM receipt JOIN job ON job.number = receipt.job WHERE submission = ? ORDER BY position`,
  )
  const selectInconclusive = db.prepare<[], Redrawable>(
    `SELECT receipt.id AS receipt, max(audit.round) AS round, submission.entry_index, submission.id, submission.worker, position
       FROM receipt JOIN submission ON submission.entry_index = receipt.submission JOIN audit ON audit.receipt = receipt.id
      WHERE sampled = 1 AND verdict IS NULL
      GROUP BY receipt.id HAVING sum(audit.state <> 'inconclusive') = 0 LIMIT ${BATCH_ROWS}`,
  )
  const setSampled = db.prepare('UPDATE receipt SET sampled = ? WHERE id = ? AND sampled IS NULL')
  const insertAudit = db.prepare(
    `INSERT INTO audit (receipt, round, auditor, drawn_height, state) VALUES (?, ?, ?, ?, 'drawn')`,
  )
  const setVoid = db.prepare(
    `UPDATE receipt SET verdict = 'void',
            verdict_entry = (SELECT max(verdict_entry) FROM audit WHERE audit.receipt = receipt.id)
      WHERE id = ? AND verdict IS NULL`,
  )
  const setDrawn = db.prepare(
    'UPDATE submission SET drawn_height = ? WHERE entry_index = ? AND drawn_height IS NULL',
  )

  async function beaconOf(
    { entry_index: entryIndex, worker }: Pick<Drawable, 'entry_index' | 'worker'>,
    anchored: Anchored,
    blockHash: BlockHash,
    tip: number,
  ): Promise<{ beacon: Uint8Array; candidates: Uint8Array[] } | null> {
    const anchor = anchored.firstFinal(Number(entryIndex))
    if (anchor === null) return null
    const height = beaconHeight(anchor.height, parts.rules)
    if (tip < height + parts.rules.finalDepth - 1) return null
    // Candidates stood in the log that this very anchor committed: nobody could be admitted to fit the beacon.
    return { beacon: await blockHash(height), candidates: parts.auditors.candidatesOf(worker, anchor.size) }
  }

  async function drawDue(tip: number, anchored: Anchored, blockHash: BlockHash): Promise<number> {
    let sampled = 0
    for (;;) {
      const due = selectDue.all()
      for (const submission of due) {
        const drawn = await beaconOf(submission, anchored, blockHash, tip)
        if (drawn === null) return sampled
        sampled += db.transaction(() => drawSubmission(submission, drawn, tip)).immediate()
      }
      if (due.length < BATCH_ROWS) return sampled
    }
  }

  function drawSubmission(
    submission: Drawable,
    { beacon, candidates }: { beacon: Uint8Array; candidates: Uint8Array[] },
    tip: number,
  ): number {
    let count = 0
    for (const row of selectReceipts.all(submission.entry_index)) {
      const floor = floorOf(row)
      const rate = auditRate({ rewardMsat: row.reward_msat, unmaturedMsat: submission.unmatured_msat, floor })
      const drawn = { beacon, submissionId: submission.id, index: Number(row.position) }
      const sampled = isSampled({ ...drawn, rate })
      setSampled.run(sampled ? 1 : 0, row.receipt)
      if (!sampled) continue
      count += 1
      const { operator } = parts
      const auditor = auditorOfRound({ ...drawn, round: 0, candidates, operator })
      if (auditor !== null) insertAudit.run(row.receipt, 0, auditor, tip)
    }
    if (setDrawn.run(tip, submission.entry_index).changes !== 1) throw new Error('a submission is drawn once')
    return count
  }

  function floorOf({ subnet, model, epoch }: SampledRow) {
    const found = parts.market.model(subnet, model, Number(epoch))
    if (found === null) throw new Error(`the model of a receipt in ${subnet} is unknown`)
    return ratioOf(found.subnet.auditFloor)
  }

  async function redrawDue(tip: number, anchored: Anchored, blockHash: BlockHash): Promise<number> {
    let rounds = 0
    for (;;) {
      const inconclusive = selectInconclusive.all()
      let decided = 0
      for (const row of inconclusive) {
        const drawn = await beaconOf(row, anchored, blockHash, tip)
        if (drawn === null) continue
        decided += 1
        if (redraw(row, drawn, tip)) rounds += 1
      }
      if (inconclusive.length < BATCH_ROWS || decided === 0) return rounds
    }
  }

  /** @returns whether anybody is left to audit it; void otherwise. */
  function redraw(
    { receipt, round: last, id, position }: Redrawable,
    { beacon, candidates }: { beacon: Uint8Array; candidates: Uint8Array[] },
    tip: number,
  ): boolean {
    const round = Number(last) + 1
    const place = { beacon, submissionId: id, index: Number(position) }
    const { operator } = parts
    const auditor = round < AUDIT_ROUNDS ? auditorOfRound({ ...place, round, candidates, operator }) : null
    if (auditor === null) setVoid.run(receipt)
    else insertAudit.run(receipt, round, auditor, tip)
    return auditor !== null
  }

  return { drawDue, redrawDue }
}
