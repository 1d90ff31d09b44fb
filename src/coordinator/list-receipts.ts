import type { Coordinator } from './coordinator.ts'

const SUBMISSIONS_PER_PAGE = 16

interface Row {
  receipt: Uint8Array
  entry: bigint
  position: bigint
  worker: Uint8Array
  subnet: string
  units: bigint
  sampled: bigint | null
  verdict: string | null
}

/** The newest submission first, its receipts in their order; the next page comes before the last row's `entry`. */
export function receiptsBefore(coordinator: Coordinator, before: number) {
  return receiptsWhere(coordinator, '< ? ORDER BY entry_index DESC', 'DESC', before)
}

/** By whole submissions in the order of the log; the next page comes after the last row's `entry`. */
export function receiptsAfter(coordinator: Coordinator, after: number) {
  return receiptsWhere(coordinator, '> ? ORDER BY entry_index', 'ASC', after)
}

function receiptsWhere({ books }: Coordinator, range: string, order: 'ASC' | 'DESC', cursor: number) {
  const rows = books.db
    .prepare<[number, number], Row>(
      `SELECT receipt.id AS receipt, submission AS entry, position, job.worker, job.subnet, units, sampled, verdict
         FROM receipt JOIN job ON job.id = receipt.job
        WHERE submission IN (SELECT entry_index FROM submission WHERE entry_index ${range} LIMIT ?)
        ORDER BY submission ${order}, position`,
    )
    .all(cursor, SUBMISSIONS_PER_PAGE)
  return rows.map(({ entry, position, units, sampled, ...row }) => ({
    ...row,
    entry: Number(entry),
    position: Number(position),
    units: Number(units),
    // Null until the beacon has drawn.
    sampled: sampled === null ? null : sampled === 1n,
  }))
}
