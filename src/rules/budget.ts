import type { Anchored } from './anchored.ts'
import { type EpochRules, firstHeight } from './epoch.ts'

interface BookedBudget {
  /** Index of its `budget` entry. */
  entry: number
  msat: bigint
}

/** 0 when the budget's entry wasn't anchored before the epoch's first block: nobody can have worked for it. */
export function budgetInForce(
  budget: BookedBudget | null,
  epoch: number,
  { anchored, rules }: { anchored: Anchored; rules: EpochRules },
): bigint {
  const anchor = budget === null ? null : anchored.first(budget.entry)
  if (budget === null || anchor === null) return 0n
  return anchor.height < firstHeight(epoch, rules) ? budget.msat : 0n
}
