import type { Opening } from '../log/opening.ts'
import type { EpochRules } from '../rules/epoch.ts'
import { firstHeight, lastHeight, verdictCutoffHeight } from '../rules/epoch.ts'
import type { ReceiptOutcome, SettlementReceipt } from '../rules/settle-epoch.ts'
import type { Anchored } from './anchored.ts'
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
  /** Dataset items whose receipts earned nothing are open for the next beacon. */
  reopenFailed(receipts: readonly EpochReceipt[]): void
}

interface ReceiptRow {
  id: Uint8Array
  worker: Uint8Array
  subnet: string
  units: bigint
  item: bigint | null
  sampled: bigint | null
  verdict: 'pass' | 'fail' | 'void' | null
  verdict_entry: bigint | null
  /** 1 when an earlier receipt of the same (subnet, model, item) stands unrefuted. */
  repeated: bigint
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
            job.id AS job, job.input, job.input_salt, job.origin_record, job.origin_salt, result.output, result.salt,
            EXISTS (SELECT 1 FROM job AS twin JOIN receipt AS other ON other.job = twin.id
                     WHERE twin.subnet = job.subnet AND twin.model = job.model AND twin.item = job.item
                       AND other.verdict IS NOT 'fail' AND other.verdict IS NOT 'void'
                       AND (other.submission, other.position) < (receipt.submission, receipt.position)) AS repeated
       FROM receipt JOIN job ON job.id = receipt.job JOIN result ON result.job = job.id
      WHERE receipt.submission >= ? AND receipt.submission < ? ORDER BY receipt.submission, receipt.position`,
  )
  const selectAudits = db.prepare<[number, number], AuditRow>(
    `SELECT audit.auditor, job.units, receipt.verdict_entry
       FROM audit JOIN receipt ON receipt.id = audit.receipt JOIN job ON job.id = receipt.job
      WHERE audit.state IN ('pass', 'fail') AND receipt.submission >= ? AND receipt.submission < ?`,
  )
  const reopen = db.prepare(
    `UPDATE item SET state = 'open' WHERE state = 'done' AND (subnet, model, item) IN
       (SELECT subnet, model, item FROM job WHERE id = ?)`,
  )

  function read(epoch: number, anchored: Anchored): EpochWork {
    const from = anchored.sizeAt(firstHeight(epoch, rules) - 1)
    const to = anchored.sizeAt(lastHeight(epoch, rules))
    const rows = selectReceipts.all(from, to)
    const inTime = (entry: bigint | null) => {
      const anchor = entry === null ? null : anchored.first(Number(entry))
      return anchor !== null && anchor.height <= verdictCutoffHeight(epoch, rules)
    }
    return {
      receipts: rows.map((row) => ({
        receipt: hex(row.id),
        worker: hex(row.worker),
        subnet: row.subnet,
        units: row.units,
        outcome: outcomeOf(row, inTime(row.verdict_entry)),
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
function outcomeOf(row: ReceiptRow, verdictInTime: boolean): ReceiptOutcome {
  if (row.verdict === 'fail' && verdictInTime) return 'fail'
  if (row.verdict === 'void' && verdictInTime) return 'inconclusive'
  if (row.item === null) return 'unassigned'
  if (row.repeated === 1n) return 'repeated'
  if (row.sampled === 0n) return 'unsampled'
  return row.verdict === 'pass' && verdictInTime ? 'pass' : 'operator_missed'
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
