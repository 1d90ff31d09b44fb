import type { Contradiction } from '../rules/canaries.ts'
import type { EntryOf, StatusOf } from './entry.ts'

/** The `status` entry that withdraws an auditor: written by the coordinator, expected by whoever replays. */
export function contradictionEntry(
  { auditor, receipt }: Contradiction,
  epoch: number,
): StatusOf<'contradiction'> {
  return {
    v: 1,
    kind: 'status',
    subject: 'contradiction',
    worker: bytes(auditor),
    status: 'withdrawn',
    epoch,
    receipt: bytes(receipt),
  }
}

/** Its unmatured pay for audits. @param status index of the entry that withdrew it */
export function forfeitOfAudits(
  { auditor, receipt }: Contradiction,
  { status, msat, epochEntry: entry }: { status: number; msat: bigint; epochEntry: number },
): EntryOf<'forfeit'> {
  const evidence = [{ entry, receipt: bytes(receipt) }]
  return { v: 1, kind: 'forfeit', worker: bytes(auditor), status, msat, evidence }
}

function bytes(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, 'hex'))
}
