import type { Coordinator } from './coordinator.ts'

/** A submission may hold 65,536: pages end inside of one, too. */
const RECEIPTS_PER_PAGE = 100

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

/** Where a receipt stands in the log. */
interface Place {
  readonly entry: number
  readonly position: number
}

/** In the order of the log, the next page after the last row's place; null starts it. */
export function receiptsAfter(coordinator: Coordinator, after: Place | null) {
  return receiptsFrom(coordinator, after ?? { entry: -1, position: 0 }, '>', 'ASC')
}

/** The newest first, the next page before the last row's place. */
export function receiptsBefore(coordinator: Coordinator, before: Place) {
  return receiptsFrom(coordinator, before, '<', 'DESC')
}

function receiptsFrom(
  { books }: Coordinator,
  { entry: from, position: at }: Place,
  side: '<' | '>',
  order: 'ASC' | 'DESC',
) {
  const rows = books.db
    .prepare<[number, number, number], Row>(
      `SELECT receipt.id AS receipt, submission AS entry, position, job.worker, job.subnet, units, sampled, verdict
         FROM receipt JOIN job ON job.number = receipt.job
        WHERE (submission, position) ${side} (?, ?)
        ORDER BY submission ${order}, position ${order} LIMIT ?`,
    )
    .all(from, at, RECEIPTS_PER_PAGE)
  return rows.map(({ entry, position, units, sampled, ...row }) => ({
    ...row,
    entry: Number(entry),
    position: Number(position),
    units: Number(units),
    // Null until the beacon has drawn.
    sampled: sampled === null ? null : sampled === 1n,
  }))
}
