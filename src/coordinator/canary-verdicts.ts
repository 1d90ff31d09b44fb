import { forfeitEntry } from '../log/standing-entry.ts'
import { type AuditorRecords, type JudgedCanary, observeAuditors, unheardOf } from '../rules/canaries.ts'
import type { Standings } from '../rules/standings.ts'
import type { Auditors } from './auditors.ts'
import { type Books, record } from './books.ts'
import type { Maturing } from './maturing.ts'
import type { StandingDesk } from './standings.ts'

/** What an epoch's known answers bring about, each by an entry of its own: auditors withdrawn, then workers' standings. */
export interface CanaryVerdicts {
  /** Joins the transaction of the `epoch` entry at `entry`. */
  observe(canaries: readonly JudgedCanary[], entry: number): void
}

export function openCanaryVerdicts(
  books: Books,
  parts: {
    auditors: Pick<Auditors, 'admitted' | 'contradict'>
    records: AuditorRecords & Pick<Standings, 'isFrozen'>
    maturing: Maturing
    standings: Pick<StandingDesk, 'observe'>
    /** Genesis' auditor: the word is the operator's. */
    operator: Uint8Array
  },
): CanaryVerdicts {
  const { auditors, records, maturing, standings, operator } = parts
  return {
    observe(canaries, entry) {
      if (canaries.length === 0) return
      const admitted = auditors.admitted()
      for (const contradiction of observeAuditors(records, canaries, { admitted, entry })) {
        const status = auditors.contradict(contradiction)
        const worker = Buffer.from(contradiction.auditor, 'hex')
        const msat = maturing.unmaturedMsat(worker, 'audit')
        if (msat === 0n) continue
        record(books, forfeitEntry(contradiction.auditor, contradiction.record, { status, msat }), (index) =>
          maturing.forfeit(worker, index, 'audit'),
        )
      }
      standings.observe(
        unheardOf(canaries).map(({ receipt, verdict }) => ({
          entry,
          receipt: Buffer.from(receipt, 'hex'),
          auditor: operator,
          verdict,
        })),
      )
    },
  }
}
