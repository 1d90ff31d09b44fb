import { forfeitOfAudits } from '../log/contradiction-entry.ts'
import { contradictionsOf, type JudgedCanary, unheardOf } from '../rules/canaries.ts'
import type { Auditors } from './auditors.ts'
import { type Books, record } from './books.ts'
import type { Maturing } from './maturing.ts'
import type { StandingDesk } from './standings.ts'

/** What an epoch's known answers bring about, each by an entry of its own: auditors withdrawn, then workers' standings. */
export interface CanaryVerdicts {
  /** Joins the transaction of the `epoch` entry at `entry`. */
  observe(canaries: readonly JudgedCanary[], settled: { epoch: number; entry: number }): void
}

export function openCanaryVerdicts(
  books: Books,
  parts: {
    auditors: Pick<Auditors, 'admitted' | 'contradict'>
    maturing: Maturing
    standings: Pick<StandingDesk, 'observe'>
    /** Genesis' auditor: the word is the operator's. */
    operator: Uint8Array
  },
): CanaryVerdicts {
  const { auditors, maturing, standings, operator } = parts
  return {
    observe(canaries, { epoch, entry }) {
      if (canaries.length === 0) return
      for (const contradiction of contradictionsOf(canaries, auditors.admitted())) {
        const status = auditors.contradict(contradiction, epoch)
        const worker = Buffer.from(contradiction.auditor, 'hex')
        const msat = maturing.unmaturedMsat(worker, 'audit')
        if (msat === 0n) continue
        record(books, forfeitOfAudits(contradiction, { status, msat, epochEntry: entry }), (index) =>
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
