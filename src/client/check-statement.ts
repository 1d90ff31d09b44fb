import { z } from 'zod'
import { decodeCbor, MAX_EPOCH_VALUES } from '../../compute/work/canonical-cbor.ts'
import { money } from '../log/money.ts'
import { AUDIT } from '../rules/maturing.ts'
import type { ReadStatement } from './read-statement.ts'

/** As the list of openings: about 500,000 lines. */
const MAX_TABLE_BYTES = 64 * 1024 * 1024

const table = z.object({
  epoch: z.int(),
  compute: z.array(z.object({ worker: z.string(), subnet: z.string(), msat: money })),
  audit: z.array(z.object({ auditor: z.string(), msat: money })),
  fees: z.array(z.object({ receipt: z.string(), worker: z.string(), subnet: z.string(), msat: money })),
  receipts: z.array(z.object({ receipt: z.string(), reason: z.string() })),
})

/**
 * Holds a settled statement against the epoch's public table of accruals (docs/PROTOCOL.md §4), which `assay audit log` recomputes.
 * @returns what differs, for people; nothing where it is the table's
 */
export function checkStatement(statement: ReadStatement, bytes: Uint8Array): string[] {
  const limit = { maxBytes: MAX_TABLE_BYTES, maxValues: MAX_EPOCH_VALUES }
  const { epoch, compute, audit, fees, receipts } = table.parse(decodeCbor(bytes, limit))
  if (epoch !== statement.epoch) return [`the table is of epoch ${epoch}`]
  const { worker } = statement
  const [claimed, due] = [new Map<string, bigint>(), new Map<string, bigint>()]
  const add = (sums: Map<string, bigint>, key: string, msat: bigint) =>
    sums.set(key, (sums.get(key) ?? 0n) + msat)
  // By subnet: parts of a subnet may have come to different ends.
  for (const { from, subnet, msat } of statement.earned) add(claimed, `${from}/${subnet}`, BigInt(msat))
  for (const row of compute) if (row.worker === worker) add(due, `budget/${row.subnet}`, row.msat)
  for (const row of audit) if (row.auditor === worker) add(due, `budget/${AUDIT}`, row.msat)
  for (const row of fees) if (row.worker === worker) add(due, `requesters/${row.subnet}`, row.msat)
  const sums = [...new Set([...claimed.keys(), ...due.keys()])].flatMap((key) => {
    const [said = 0n, tabled = 0n] = [claimed.get(key), due.get(key)]
    return said === tabled ? [] : [`${key}: ${said} msat, the table has ${tabled}`]
  })

  const reasons = new Map(receipts.map(({ receipt, reason }) => [receipt, reason]))
  const paid = new Map(fees.map(({ receipt, msat }) => [receipt, msat]))
  const lines = statement.receipts.flatMap(({ receipt, reason, msat }) => {
    const tabled = reasons.get(receipt)
    if (reason !== tabled) return [`${receipt}: ${reason}, the table says ${tabled ?? 'nothing'}`]
    const fee = paid.get(receipt) ?? null
    const said = msat === null ? null : BigInt(msat)
    return said === fee ? [] : [`${receipt}: ${said} msat, the table has ${fee}`]
  })
  return [...sums, ...lines]
}
