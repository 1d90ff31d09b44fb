/** What a known answer says of the worker who gave another, and of auditors who said otherwise (docs/PROTOCOL.md §7). */
import { standingOf } from './cusum.ts'
import { type AuditedReceipt, NO_RECORD, observed, type Standings, type WorkerRecord } from './standings.ts'

/** Neither is paid: nobody asked for a canary. */
export type CanaryOutcome = 'canary_passed' | 'canary_failed'

export interface JudgedCanary extends Pick<AuditedReceipt, 'receipt' | 'model' | 'evidence'> {
  readonly outcome: CanaryOutcome
  /** Its rounds of audit so far, in order; keys in hex. */
  readonly rounds: readonly { readonly auditor: string; readonly verdict: string | null }[]
}

/** What known answers have said of auditors, kept as workers' records are. Keys in hex. */
export interface AuditorRecords {
  /** NO_RECORD before the first. */
  auditorRecordOf(auditor: string): WorkerRecord
  setAuditorRecord(auditor: string, record: WorkerRecord): void
}

/** An auditor that known answers have refuted, and when: its record as it crossed the line. */
export interface Contradiction {
  /** Key, hex. */
  readonly auditor: string
  readonly record: WorkerRecord
}

/** Whether an auditor's verdict is another than the known answer's: such a round isn't paid. */
export function refutes(outcome: CanaryOutcome, verdict: string | null): boolean {
  return verdict === (outcome === 'canary_passed' ? 'fail' : 'pass')
}

/**
 * What counts of canaries for their workers' standing, as if genesis' auditor had said it: those of which no audit has said
 * pass or fail yet. One receipt is one observation.
 */
export function unheardOf(
  canaries: readonly JudgedCanary[],
): { receipt: string; verdict: 'pass' | 'fail' }[] {
  return canaries
    .filter(({ rounds }) => !rounds.some(({ verdict }) => verdict === 'pass' || verdict === 'fail'))
    .map(({ receipt, outcome }) => ({ receipt, verdict: outcome === 'canary_passed' ? 'pass' : 'fail' }))
}

/**
 * Observes what an epoch's known answers, opened by `entry`, say of admitted auditors, by the statistic that workers have: an
 * honest one may differ once at the bound. Two known answers convict where it takes two auditors to convict a
 * worker. Those of a frozen model say nothing: the auditors' machines may have its fault. Genesis' auditor
 * isn't admitted: it would be the operator's word against the operator's.
 *
 * @returns who is an auditor no more, in the order of the log; its record begins anew
 */
export function observeAuditors(
  records: AuditorRecords & Pick<Standings, 'isFrozen'>,
  canaries: readonly JudgedCanary[],
  { admitted, entry }: { admitted: ReadonlySet<string>; entry: number },
): Contradiction[] {
  const refuted = new Map<string, WorkerRecord>()
  for (const { outcome, rounds, ...canary } of canaries) {
    if (records.isFrozen(canary.model)) continue
    for (const { auditor, verdict: said } of rounds) {
      if ((said !== 'pass' && said !== 'fail') || !admitted.has(auditor) || refuted.has(auditor)) continue
      const verdict = refutes(outcome, said) ? 'fail' : 'pass'
      const audit = { ...canary, entry, worker: auditor, auditor: canary.receipt, verdict } as const
      const record = observed(records.auditorRecordOf(auditor), audit)
      const isRefuted = standingOf(record.suspicion) === 'suspended'
      if (isRefuted) refuted.set(auditor, record)
      records.setAuditorRecord(auditor, isRefuted ? NO_RECORD : record)
    }
  }
  return Array.from(refuted, ([auditor, record]) => ({ auditor, record }))
}
