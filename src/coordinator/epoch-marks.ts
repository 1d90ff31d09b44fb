import type { Database } from 'better-sqlite3'
import { isRefuted } from '../rules/outcome.ts'
import type { EpochSettlement } from '../rules/settle-epoch.ts'
import type { EpochReceipt } from './epoch-work.ts'

/** What settlement leaves behind at an epoch's receipts, in its transaction. */
export interface EpochMarks {
  /** Dataset items that no receipt stands for are open for the next beacon. */
  reopenRefuted(receipts: readonly EpochReceipt[]): void
  /** Why each receipt earned or didn't, for who asks. */
  keepReasons(receipts: EpochSettlement['receipts']): void
}

export function openEpochMarks(db: Database): EpochMarks {
  const reopen = db.prepare(
    `UPDATE item SET state = 'open' WHERE state = 'done' AND (subnet, model, item) IN
       (SELECT subnet, model, item FROM job WHERE number = ?)
        AND NOT EXISTS (SELECT 1 FROM job JOIN receipt ON receipt.job = job.number
                         WHERE job.subnet = item.subnet AND job.model = item.model AND job.item = item.item
                           AND is_refuted = 0)`,
  )
  // In the order of the rows, and one call for each reason.
  const setReason = db.prepare(
    `UPDATE receipt SET reason = ? WHERE job IN
       (SELECT job FROM receipt WHERE id IN (SELECT unhex(value) FROM json_each(?)))`,
  )
  const setRefuted = db.prepare('UPDATE receipt SET is_refuted = 1 WHERE job = ?')

  return {
    reopenRefuted(receipts) {
      const refuted = receipts.filter(({ outcome }) => isRefuted(outcome))
      for (const { job } of refuted) setRefuted.run(job)
      for (const { job } of refuted) reopen.run(job)
    },
    keepReasons(receipts) {
      for (const [reason, own] of Map.groupBy(receipts, (one) => one.reason))
        setReason.run(reason, JSON.stringify(own.map(({ receipt }) => receipt)))
    },
  }
}
