import { hex } from '../../compute/work/hex.ts'
import { contradictionEntry, forfeitEntry } from '../log/standing-entry.ts'
import { admittedKeys } from '../rules/auditors.ts'
import { observeAuditors, unheardOf } from '../rules/canaries.ts'
import { evidenceOf } from '../rules/cusum-evidence.ts'
import { ratioOf } from '../rules/sampling.ts'
import { modelKey } from '../rules/standings.ts'
import type { JudgedReceipt } from './check-sampling.ts'
import { observeAgain } from './check-standing.ts'
import { forfeitAccruals } from './release-accruals.ts'
import type { ReplayState } from './replay-state.ts'

/** What an epoch's known answers bring about has to be the next entries of the log: auditors withdrawn, then workers' standings. */
export function observeCanaries(state: ReplayState, judged: readonly JudgedReceipt[], index: number): void {
  const { admissions, expected, genesis, standings, workers } = state
  const canaries = judged.flatMap(({ canary, receipt: { hex: receipt, job, market, rounds } }) => {
    if (canary === null) return []
    const model = modelKey(job.subnet, job.model)
    const evidence = evidenceOf(ratioOf(market.model.falseFailRate))
    return [{ receipt, worker: job.worker, model, evidence, outcome: canary, rounds }]
  })
  const admitted = admittedKeys(admissions)
  for (const contradiction of observeAuditors(standings, canaries, { admitted, entry: index })) {
    const { auditor, record } = contradiction
    const worker = workers.get(auditor)
    if (worker === undefined) continue
    expected.push(contradictionEntry(contradiction))
    const status = index + expected.length
    admissions.push({ entry: status, worker, isAdmitted: false })
    const msat = forfeitAccruals(state, auditor, 'audit')
    if (msat > 0n) expected.push(forfeitEntry(auditor, record, { status, msat }))
  }
  const unheard = new Map(unheardOf(canaries).map(({ receipt, verdict }) => [receipt, verdict]))
  const audits = canaries.flatMap(({ receipt, worker, model, evidence }) => {
    const verdict = unheard.get(receipt)
    if (verdict === undefined) return []
    return [{ entry: index, receipt, model, worker, auditor: hex(genesis.auditor), verdict, evidence }]
  })
  observeAgain(state, audits, index)
}
