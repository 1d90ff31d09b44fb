import { decodeCbor } from '../../../compute/work/canonical-cbor.ts'
import { parseAccrualHead } from '../../../src/log/accrual-table.ts'
import { parseEntry } from '../../../src/log/entry.ts'
import { parseOpenings } from '../../../src/log/opening.ts'
import { parsePartNames } from '../../../src/log/parts.ts'
import type { Site } from './site.ts'

/** The epoch's entry in the log, and what its public table says of each receipt. */
export function epochEntry(site: Site, epoch: number) {
  const { log, blobs } = site.coordinator().books
  for (const bytes of log.entries(0, log.size())) {
    const entry = parseEntry(bytes)
    if (entry.kind !== 'epoch' || entry.epoch !== epoch) continue
    const blob = (digest: Uint8Array) => blobs.get(Buffer.from(digest).toString('hex')) ?? new Uint8Array()
    const reasons = new Map<string, string>()
    for (const part of parseAccrualHead(blob(entry.accruals)).receipts) {
      const list = Object(decodeCbor(blob(part), { maxBytes: 1_000_000 }))
      for (const { receipt, reason } of list) reasons.set(receipt, reason)
    }
    const openings = parsePartNames(blob(entry.openings)).flatMap((part) => [...parseOpenings(blob(part))])
    return { entry, reasons, openings }
  }
  throw new Error(`epoch ${epoch} has no entry`)
}

/** Why each receipt settled so far earned or didn't, by id. */
export function reasonsOf(site: Site): Map<string, string> {
  const settled = site.status().epochs.filter(({ settled, budgetMsat }) => settled && budgetMsat > 0n)
  return new Map(settled.flatMap(({ number }) => [...epochEntry(site, number).reasons]))
}
