import { firstHeight, lastHeight } from '../rules/epoch.ts'
import type { ReplayedSubmission, ReplayState } from './replay-state.ts'

/** Those that the epoch's own blocks first anchored. */
export function submissionsOf(
  { anchored, rules, submissions }: ReplayState,
  epoch: number,
): ReplayedSubmission[] {
  const from = anchored.sizeAt(firstHeight(epoch, rules) - 1)
  const to = anchored.sizeAt(lastHeight(epoch, rules))
  return submissions.filter(({ entry }) => entry >= from && entry < to)
}

/** Whether there is anything to settle: an epoch without budget and work has no entry. */
export function hasBusiness(state: ReplayState, epoch: number): boolean {
  return (state.budgets.get(epoch)?.msat ?? 0n) > 0n || submissionsOf(state, epoch).length > 0
}
