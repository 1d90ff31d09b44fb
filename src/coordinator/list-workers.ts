import { maturedAccount, unmaturedAccount } from '../ledger/accounts.ts'
import type { Standing } from '../rules/cusum.ts'
import type { Coordinator } from './coordinator.ts'

const WORKERS_PER_PAGE = 50
const EPOCHS_PER_PAGE = 100

interface Row {
  key: Uint8Array
  address: string
  entry_index: bigint
  receipts: bigint
  passed: bigint
  failed: bigint
  void: bigint
  audits: bigint
  paid: bigint
  standing: Standing
  forfeited: bigint
}

/** In order of registration, the next page after the last row's `entry`. */
export function listWorkers({ books }: Coordinator, after: number | null) {
  const rows = books.db
    .prepare<[number, number], Row>(
      `SELECT key, address, worker.entry_index,
              coalesce(receipts, 0) AS receipts, coalesce(passed, 0) AS passed,
              coalesce(failed, 0) AS failed, coalesce(void, 0) AS void,
              (SELECT count(*) FROM audit WHERE auditor = worker.key AND state IN ('pass', 'fail')) AS audits,
              (SELECT coalesce(sum(msat), 0) FROM paid
                WHERE account = 'worker/' || lower(hex(worker.key)) || '/matured') AS paid,
              coalesce((SELECT standing FROM standing WHERE standing.worker = worker.key), 'good') AS standing,
              (SELECT coalesce(sum(forfeited_msat), 0) FROM suspension WHERE suspension.worker = worker.key) AS forfeited
         FROM worker
         LEFT JOIN worker_tally ON worker_tally.worker = worker.key
        WHERE worker.entry_index > ? ORDER BY worker.entry_index LIMIT ?`,
    )
    .all(after ?? -1, WORKERS_PER_PAGE)
  return rows.map(({ key, address, entry_index, receipts, passed, failed, audits, paid, ...row }) => {
    const worker = Buffer.from(key).toString('hex')
    return {
      worker,
      entry: Number(entry_index),
      address,
      receipts: Number(receipts),
      passed: Number(passed),
      failed: Number(failed),
      void: Number(row.void),
      auditsDone: Number(audits),
      unmaturedMsat: books.ledger.balance(unmaturedAccount(worker)).postedMsat,
      maturedMsat: books.ledger.balance(maturedAccount(worker)).postedMsat,
      paidMsat: paid,
      standing: row.standing,
      forfeitedMsat: row.forfeited,
    }
  })
}

/** By epoch, the newest first, the next page before the last row's; `subnet` is `(audit)` for audits. */
export function listEarnings({ books }: Coordinator, worker: Uint8Array, before: number | null) {
  return books.db
    .prepare<[Uint8Array, number, Uint8Array, number], { epoch: bigint; subnet: string; msat: bigint }>(
      `SELECT epoch, subnet, sum(msat) AS msat FROM accrual WHERE worker = ? AND epoch IN
         (SELECT DISTINCT epoch FROM accrual WHERE epoch < ? AND worker = ? ORDER BY epoch DESC LIMIT ?)
        GROUP BY epoch, subnet ORDER BY epoch DESC, subnet`,
    )
    .all(worker, before ?? Number.MAX_SAFE_INTEGER, worker, EPOCHS_PER_PAGE)
    .map(({ epoch, ...row }) => ({ epoch: Number(epoch), ...row }))
}
