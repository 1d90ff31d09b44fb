import { decodeCbor } from '../../../compute/work/canonical-cbor.ts'
import { parseEntry } from '../../../src/log/entry.ts'
import type { Site } from './site.ts'

/** The epoch's entry in the log, and what its public table says of each receipt. */
export function epochEntry(site: Site, epoch: number) {
  const { log, blobs } = site.coordinator().books
  for (const bytes of log.entries(0, log.size())) {
    const entry = parseEntry(bytes)
    if (entry.kind !== 'epoch' || entry.epoch !== epoch) continue
    const blob = blobs.get(Buffer.from(entry.accruals).toString('hex'))
    const table = Object(decodeCbor(blob ?? new Uint8Array(), { maxBytes: 1_000_000 }))
    const reasons = new Map<string, string>()
    for (const { receipt, reason } of table.receipts) reasons.set(receipt, reason)
    return { entry, reasons }
  }
  throw new Error(`epoch ${epoch} has no entry`)
}

/** Why each receipt settled so far earned or didn't, by id. */
export function reasonsOf(site: Site): Map<string, string> {
  const settled = site.status().epochs.filter(({ settled, budgetMsat }) => settled && budgetMsat > 0n)
  return new Map(settled.flatMap(({ number }) => [...epochEntry(site, number).reasons]))
}
