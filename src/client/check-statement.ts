import { z } from 'zod'
import { decodeCbor, MAX_EPOCH_VALUES } from '../../compute/work/canonical-cbor.ts'
import { parseAccrualHead } from '../log/accrual-table.ts'
import { money } from '../log/money.ts'
import { MAX_PART_BYTES } from '../log/parts.ts'
import { AUDIT } from '../rules/maturing.ts'
import type { ReadStatement } from './read-statement.ts'

const rows = {
  compute: z.object({ worker: z.string(), subnet: z.string(), msat: money }),
  audit: z.object({ auditor: z.string(), msat: money }),
  fees: z.object({ receipt: z.string(), worker: z.string(), subnet: z.string(), msat: money }),
  receipts: z.object({ receipt: z.string(), reason: z.string() }),
}

/**
 * Holds a settled statement against the epoch's public table of accruals (docs/PROTOCOL.md §4), which `assay audit log` recomputes.
 * @param table the digest of its head
 * @returns what differs, for people; nothing where it is the table's
 */
export async function checkStatement(
  statement: ReadStatement,
  table: Uint8Array,
  readBlob: (digest: Uint8Array) => Promise<Uint8Array>,
): Promise<string[]> {
  const head = parseAccrualHead(await readBlob(table))
  if (head.epoch !== statement.epoch) return [`the table is of epoch ${head.epoch}`]
  const { worker } = statement
  const [claimed, due] = [new Map<string, bigint>(), new Map<string, bigint>()]
  const add = (sums: Map<string, bigint>, key: string, msat: bigint) =>
    sums.set(key, (sums.get(key) ?? 0n) + msat)
  // By subnet: parts of a subnet may have come to different ends.
  for (const { from, subnet, msat } of statement.earned) add(claimed, `${from}/${subnet}`, BigInt(msat))
  const shown = new Set(statement.receipts.map(({ receipt }) => receipt))
  const [paid, reasons] = [new Map<string, bigint>(), new Map<string, string>()]
  for await (const row of listed(rows.compute, head.compute))
    if (row.worker === worker) add(due, `budget/${row.subnet}`, row.msat)
  for await (const row of listed(rows.audit, head.audit))
    if (row.auditor === worker) add(due, `budget/${AUDIT}`, row.msat)
  for await (const row of listed(rows.fees, head.fees)) {
    if (row.worker === worker) add(due, `requesters/${row.subnet}`, row.msat)
    if (shown.has(row.receipt)) paid.set(row.receipt, row.msat)
  }
  for await (const { receipt, reason } of listed(rows.receipts, head.receipts))
    if (shown.has(receipt)) reasons.set(receipt, reason)
  const sums = [...new Set([...claimed.keys(), ...due.keys()])].flatMap((key) => {
    const [said = 0n, tabled = 0n] = [claimed.get(key), due.get(key)]
    return said === tabled ? [] : [`${key}: ${said} msat, the table has ${tabled}`]
  })

  const lines = statement.receipts.flatMap(({ receipt, reason, msat }) => {
    const tabled = reasons.get(receipt)
    if (reason !== tabled) return [`${receipt}: ${reason}, the table says ${tabled ?? 'nothing'}`]
    const fee = paid.get(receipt) ?? null
    const said = msat === null ? null : BigInt(msat)
    return said === fee ? [] : [`${receipt}: ${said} msat, the table has ${fee}`]
  })
  return [...sums, ...lines]

  /** Part by part. */
  async function* listed<Row>(row: z.ZodType<Row>, parts: readonly Uint8Array[]): AsyncGenerator<Row> {
    const limit = { maxBytes: MAX_PART_BYTES, maxValues: MAX_EPOCH_VALUES }
    for (const part of parts) yield* z.array(row).parse(decodeCbor(await readBlob(part), limit))
  }
}
