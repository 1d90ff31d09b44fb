import type { Opening } from '../log/opening.ts'
import type { Anchored } from '../rules/anchored.ts'
import type { EpochRules } from '../rules/epoch.ts'
import { epochOf, firstHeight, lastHeight, verdictCutoffHeight } from '../rules/epoch.ts'
import type { ReceiptOutcome, SettlementReceipt } from '../rules/settle-epoch.ts'
import type { Books } from './books.ts'

export interface EpochReceipt extends SettlementReceipt {
  readonly subnet: string
  readonly job: Uint8Array
}

export interface EpochWork {
  readonly receipts: EpochReceipt[]
  readonly audits: { auditor: string; units: bigint }[]
  readonly openings: Opening[]
}

export interface EpochWorkReader {
  /** Everything that the epoch's own blocks first anchored, with what became of it by the verdict cutoff. */
  read(epoch: number, anchored: Anchored): EpochWork
  /** Dataset items whose receipts all failed are open for the next beacon. */
  reopenFailed(receipts: readonly EpochReceipt[]): void
}

type Verdict = 'pass' | 'fail' | 'void' | null

/** Another receipt for the same item. */
interface TwinRow {
  submission: bigint
  verdict: Verdict
  verdict_entry: bigint | null
}

interface ReceiptRow {
  id: Uint8Array
  worker: Uint8Array
  subnet: string
  units: bigint
  item: bigint | null
  sampled: bigint | null
  verdict: Verdict
  verdict_entry: bigint | null
  job: Uint8Array
  input: Uint8Array
  input_salt: Uint8Array
  origin_record: Uint8Array
  origin_salt: Uint8Array
  output: Uint8Array
  salt: Uint8Array
}

interface AuditRow {
  auditor: Uint8Array
  units: bigint
  verdict_entry: bigint
}

export function openEpochWork(books: Books, rules: EpochRules): EpochWorkReader {
  const { db } = books
  const selectReceipts = db.prepare<[number, number], ReceiptRow>(
    `SELECT receipt.id, job.worker, job.subnet, job.units, job.item, sampled, verdict, verdict_entry,
            job.id AS job, job.input, job.input_salt, job.origin_record, job.origin_salt, result.output, result.salt
       FROM receipt JOIN job ON job.id = receipt.job JOIN result ON result.job = job.id
      WHERE receipt.submission >= ? AND receipt.submission < ? ORDER BY receipt.submission, receipt.position`,
  )
  const selectEarlierTwins = db.prepare<[Uint8Array], TwinRow>(
    `SELECT other.submission, other.verdict, other.verdict_entry
       FROM receipt JOIN job ON job.id = receipt.job
       JOIN job AS twin ON twin.subnet = job.subnet AND twin.model = job.model AND twin.item = job.item
       JOIN receipt AS other ON other.job = twin.id
      WHERE receipt.id = ? AND (other.submission, other.position) < (receipt.submission, receipt.position)`,
  )
  const selectAudits = db.prepare<[number, number], AuditRow>(
    `SELECT audit.auditor, job.units, receipt.verdict_entry
       FROM audit JOIN receipt ON receipt.id = audit.receipt JOIN job ON job.id = receipt.job
      WHERE audit.state IN ('pass', 'fail') AND receipt.submission >= ? AND receipt.submission < ?`,
  )
  const reopen = db.prepare(
    `UPDATE item SET state = 'open' WHERE state = 'done' AND (subnet, model, item) IN
       (SELECT subnet, model, item FROM job WHERE id = ?)
        AND NOT EXISTS (SELECT 1 FROM job JOIN receipt ON receipt.job = job.id
                         WHERE job.subnet = item.subnet AND job.model = item.model AND job.item = item.item
                           AND verdict IS NOT 'fail' AND verdict IS NOT 'void')`,
  )

  function read(epoch: number, anchored: Anchored): EpochWork {
    const from = anchored.sizeAt(firstHeight(epoch, rules) - 1)
    const to = anchored.sizeAt(lastHeight(epoch, rules))
    const rows = selectReceipts.all(from, to)
    const inTime = (entry: bigint | null) => isInTime(entry, epoch, anchored)
    return {
      receipts: rows.map((row) => ({
        receipt: hex(row.id),
        worker: hex(row.worker),
        subnet: row.subnet,
        units: row.units,
        outcome: outcomeOf(row, {
          verdictInTime: inTime(row.verdict_entry),
          repeated: isRepeated(row, anchored),
        }),
        job: row.job,
      })),
      audits: selectAudits
        .all(from, to)
        .filter((audit) => inTime(audit.verdict_entry))
        .map(({ auditor, units }) => ({ auditor: hex(auditor), units })),
      openings: rows.map((row) => ({
        input: row.input,
        inputSalt: row.input_salt,
        job: row.job,
        origin: row.origin_record,
        originSalt: row.origin_salt,
        output: row.output,
        outputSalt: row.salt,
      })),
    }
  }

  function isInTime(verdictEntry: bigint | null, epoch: number, anchored: Anchored): boolean {
    const anchor = verdictEntry === null ? null : anchored.first(Number(verdictEntry))
    return anchor !== null && anchor.height <= verdictCutoffHeight(epoch, rules)
  }

  /** Whether an earlier receipt for the item stands: a verdict that came too late did not refute it, it was paid. */
  function isRepeated({ id, item }: ReceiptRow, anchored: Anchored): boolean {
    if (item === null) return false
    return selectEarlierTwins.all(id).some(({ submission, verdict, verdict_entry }) => {
      if (verdict !== 'fail' && verdict !== 'void') return true
      const anchor = anchored.first(Number(submission))
      const epoch = anchor === null ? null : epochOf(anchor.height, rules)
      return epoch === null || !isInTime(verdict_entry, epoch, anchored)
    })
  }

  return {
    read,
    reopenFailed(receipts) {
      for (const { outcome, job } of receipts) {
        if (outcome === 'fail' || outcome === 'inconclusive') reopen.run(job)
      }
    },
  }
}

/** Only what the beacon assigned earns the subsidy, each (model, input) once, and nothing that failed its audit. */
function outcomeOf(
  row: ReceiptRow,
  { verdictInTime, repeated }: { verdictInTime: boolean; repeated: boolean },
): ReceiptOutcome {
  if (row.verdict === 'fail' && verdictInTime) return 'fail'
  if (row.verdict === 'void' && verdictInTime) return 'inconclusive'
  if (row.item === null) return 'unassigned'
  if (repeated) return 'repeated'
  if (row.sampled === 0n) return 'unsampled'
  return row.verdict === 'pass' && verdictInTime ? 'pass' : 'operator_missed'
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
