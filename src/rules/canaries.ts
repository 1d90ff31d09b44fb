/** What a known answer says of the worker who gave another, and of auditors who said otherwise (docs/PROTOCOL.md §7). */

/** Neither is paid: nobody asked for a canary. */
export type CanaryOutcome = 'canary_passed' | 'canary_failed'

export interface JudgedCanary {
  /** Receipt id, hex. */
  readonly receipt: string
  readonly outcome: CanaryOutcome
  /** Its rounds of audit so far, in order; keys in hex. */
  readonly rounds: readonly { readonly auditor: string; readonly verdict: string | null }[]
}

export interface Contradiction {
  /** Key, hex. */
  readonly auditor: string
  /** The first receipt that shows it. */
  readonly receipt: string
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
 * The admitted auditors whose verdict was another than the known answer's, each once, in the order of the log. Genesis'
 * auditor is never among them: it isn't admitted, and would be the operator's word against the operator's.
 */
export function contradictionsOf(
  canaries: readonly JudgedCanary[],
  admitted: ReadonlySet<string>,
): Contradiction[] {
  const first = new Map<string, string>()
  for (const { receipt, outcome, rounds } of canaries) {
    for (const { auditor, verdict } of rounds) {
      if (!refutes(outcome, verdict) || !admitted.has(auditor) || first.has(auditor)) continue
      first.set(auditor, receipt)
    }
  }
  return [...first].map(([auditor, receipt]) => ({ auditor, receipt }))
}
