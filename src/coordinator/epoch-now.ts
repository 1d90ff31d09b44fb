import { epochOf } from '../rules/epoch.ts'
import { epochRules } from '../rules/epoch-rules.ts'
import type { Coordinator } from './coordinator.ts'
import type { Genesis } from './genesis.ts'

/** The epoch of the next block; null before epoch 0, and before the first whole round. */
export function epochNow(
  { advancedTo }: Pick<Coordinator, 'advancedTo'>,
  genesis: Pick<Genesis, 'epoch'>,
): number | null {
  const tip = advancedTo()
  return tip === null ? null : epochOf(tip + 1, epochRules(genesis))
}

/** The same for jobs; null also until the round that opens another epoch is whole: its entries are of that one already. */
export function epochOfJobs(
  coordinator: Pick<Coordinator, 'advancedTo' | 'reachedTip'>,
  genesis: Pick<Genesis, 'epoch'>,
): number | null {
  const epoch = epochNow(coordinator, genesis)
  return epoch === epochOf(coordinator.reachedTip() + 1, epochRules(genesis)) ? epoch : null
}
