import { inheritedMaturityHeight, maturityHeight, settlementHeight } from '../rules/epoch.ts'
import { isSuspended } from '../rules/standings.ts'
import { returnHeight } from './check-standing.ts'
import { hasBusiness } from './epoch-range.ts'
import type { ReplayState } from './replay-state.ts'

/** What the log should hold by now and doesn't: an operator that stops settling is seen. */
export function checkOverdue(state: ReplayState): void {
  const { accruals, findings, inherited, isInheritanceMatured, rules, source } = state
  const check = findings.at('overdue', null)
  // A coordinator needs a moment at each tip, and the reader may be ahead of it: the depth of finality is time enough.
  const height = source.chain.tipHeight - rules.finalDepth
  for (let epoch = state.nextEpoch; settlementHeight(epoch, rules) <= height; epoch += 1) {
    check(
      !hasBusiness(state, epoch),
      'settlement_overdue',
      () => `epoch ${epoch} was to be settled at block ${settlementHeight(epoch, rules)}`,
    )
  }
  if (inherited?.workers.some(({ unmaturedMsat }) => unmaturedMsat > 0n) && !isInheritanceMatured) {
    const due = inheritedMaturityHeight(rules)
    check(due > height, 'maturity_overdue', () => `what was inherited was to mature at block ${due}`)
  }
  for (const [epoch, { isMatured }] of accruals) {
    if (isMatured || epoch === 'inherited') continue
    const due = maturityHeight(epoch, rules)
    check(
      due > height,
      'maturity_overdue',
      () => `the rewards of epoch ${epoch} were to mature at block ${due}`,
    )
  }
  for (const worker of state.suspensions.keys()) {
    const due = isSuspended(state.standings, worker) ? returnHeight(state, worker) : null
    check(
      due === null || due > height,
      'return_overdue',
      () => `the suspension of ${worker} was to end at block ${due}`,
    )
  }
  check(
    state.expected.length === 0,
    'standing_missing',
    () => 'what follows from the last verdicts is not logged',
  )
}
