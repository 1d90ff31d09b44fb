import { budgetAccount } from '../ledger/accounts.ts'
import type { EntryOf } from '../log/entry.ts'
import { freeReserveMsat } from '../rules/free-reserve.ts'
import { subsidyMsat } from '../rules/subsidy.ts'
import type { ReplayState } from './replay-state.ts'

/** One budget for each epoch, within the schedule and within what is free. What is kept for fees is the operator's to say. */
export function checkBudget(state: ReplayState, { epoch, msat }: EntryOf<'budget'>, index: number): void {
  const check = state.findings.at('budgets', index)
  const { balances, budgets, genesis } = state
  const isNew = epoch >= state.nextEpoch && !budgets.has(epoch)
  if (!check(isNew, 'budget_repeated', () => `epoch ${epoch} has a budget, or is settled`)) return
  const scheduledMsat = subsidyMsat(epoch, genesis.subsidy)
  check(
    msat <= scheduledMsat,
    'budget_above_schedule',
    () => `${msat} msat, the schedule has ${scheduledMsat}`,
  )
  const freeMsat = freeReserveMsat(balances.of)
  check(msat <= freeMsat, 'budget_not_covered', () => `${msat} msat of ${freeMsat} that are free`)
  balances.move('reserve', budgetAccount(epoch), msat)
  budgets.set(epoch, { entry: index, msat })
}
