import { hex } from '../../compute/work/hex.ts'
import { contradictionEntry, forfeitOfAudits } from '../log/contradiction-entry.ts'
import { admittedKeys } from '../rules/auditors.ts'
import { contradictionsOf, unheardOf } from '../rules/canaries.ts'
import { evidenceOf } from '../rules/cusum-evidence.ts'
import { ratioOf } from '../rules/sampling.ts'
import { modelKey } from '../rules/standings.ts'
import type { JudgedReceipt } from './check-sampling.ts'
import { observeAgain } from './check-standing.ts'
import { forfeitAccruals } from './release-accruals.ts'
import type { ReplayState } from './replay-state.ts'

/** What an epoch's known answers bring about has to be the next entries of the log: auditors withdrawn, then workers' standings. */
export function observeCanaries(
  state: ReplayState,
  judged: readonly JudgedReceipt[],
  { epoch, index }: { epoch: number; index: number },
): void {
  const { admissions, expected, genesis, workers } = state
  const canaries = judged.flatMap(({ canary, receipt: { hex: receipt, rounds } }) =>
    canary === null ? [] : [{ receipt, outcome: canary, rounds }],
  )
  for (const contradiction of contradictionsOf(canaries, admittedKeys(admissions))) {
    const worker = workers.get(contradiction.auditor)
    if (worker === undefined) continue
    expected.push(contradictionEntry(contradiction, epoch))
    const status = index + expected.length
    admissions.push({ entry: status, worker, isAdmitted: false })
    const msat = forfeitAccruals(state, contradiction.auditor, 'audit')
    if (msat > 0n) expected.push(forfeitOfAudits(contradiction, { status, msat, epochEntry: index }))
  }
  const unheard = new Map(unheardOf(canaries).map(({ receipt, verdict }) => [receipt, verdict]))
  const audits = judged.flatMap(({ receipt: { hex: receipt, job, market } }) => {
    const verdict = unheard.get(receipt)
    if (verdict === undefined) return []
    const { worker, subnet, model } = job
    const auditor = hex(genesis.auditor)
    return [
      {
        entry: index,
        receipt,
        model: modelKey(subnet, model),
        worker,
        auditor,
        verdict,
        evidence: evidenceOf(ratioOf(market.model.falseFailRate)),
      },
    ]
  })
  observeAgain(state, audits, index)
}
