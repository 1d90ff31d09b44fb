import { unmaturedAccount } from '../ledger/accounts.ts'
import type { Auditors } from './auditors.ts'
import type { Books } from './books.ts'

/**
 * How much unproven work the auditors can still take: whoever has nothing unmatured is audited always (DESIGN §7), so each of
 * its leases is an audit to come. A count of open rounds for each auditor and not a measured speed: a speed depends on the
 * model, is unknown of a new auditor, and its word for it would be the auditor's own; a queue's length needs nobody's word.
 */
export interface AuditCapacity {
  /** Jobs that this worker may be leased in `epoch`; without limit for whoever has rewards to lose. */
  freeFor(worker: Uint8Array, epoch: number): number
  isUnproven(worker: Uint8Array): boolean
  /** Audits under way or sure to come, and how many the auditors may have by the log as it stands. */
  figures(epoch: number): { readonly load: number; readonly limit: number }
}

export function openAuditCapacity(
  books: Books,
  { auditors, maxOpenPerAuditor }: { auditors: Auditors; maxOpenPerAuditor: number },
): AuditCapacity {
  const { db } = books
  const countRounds = db
    .prepare<[], bigint>(`SELECT count(*) FROM audit WHERE state IN ('drawn', 'committed')`)
    .pluck()
  const sumUndrawn = db
    .prepare<[], bigint>(
      'SELECT coalesce(sum(count), 0) FROM submission WHERE drawn_height IS NULL AND unmatured_msat = 0',
    )
    .pluck()
  // What was answered and is submitted no more weighs until its epoch and the next are over, as its item does.
  const countLeased = db
    .prepare<[number], bigint>(
      `SELECT count(*) FROM job WHERE unproven = 1 AND (state = 'leased' OR state = 'answered') AND epoch >= ?`,
    )
    .pluck()

  function load(epoch: number): number {
    const parts = [countRounds.get(), sumUndrawn.get(), countLeased.get(epoch - 1)]
    return parts.reduce<number>((sum, count) => sum + Number(count), 0)
  }

  const isUnproven = (worker: Uint8Array) =>
    books.ledger.balance(unmaturedAccount(Buffer.from(worker).toString('hex'))).postedMsat === 0n

  return {
    freeFor(worker, epoch) {
      if (!isUnproven(worker)) return Number.POSITIVE_INFINITY
      const limit = auditors.candidatesOf(worker, books.log.size()).length * maxOpenPerAuditor
      return Math.max(0, limit - load(epoch))
    },
    isUnproven,
    figures: (epoch) => ({ load: load(epoch), limit: auditors.list().length * maxOpenPerAuditor }),
  }
}
