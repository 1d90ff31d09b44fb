import { budgetAccount } from '../ledger/accounts.ts'
import type { EntryOf } from '../log/entry.ts'
import { freeReserveMsat } from '../rules/free-reserve.ts'
import { subsidyMsat } from '../rules/subsidy.ts'
import { comingEpochs, type ReplayState } from './replay-state.ts'

/** One budget for each epoch, before it begins: what the schedule has, as far as it is free. */
export function checkBudget(state: ReplayState, { epoch, msat }: EntryOf<'budget'>, index: number): void {
  const check = state.findings.at('budgets', index)
  const { balances, budgets, genesis } = state
  const isNew = epoch >= state.nextEpoch && !budgets.has(epoch)
  if (!check(isNew, 'budget_repeated', () => `epoch ${epoch} has a budget, or is settled`)) return
  const { from, to } = comingEpochs(state, index)
  const isComing = epoch >= from && epoch <= to
  if (!check(isComing, 'budget_out_of_turn', () => `of epoch ${epoch}, when ${from} to ${to} came next`))
    return
  const scheduledMsat = subsidyMsat(epoch, genesis.subsidy)
  check(
    msat <= scheduledMsat,
    'budget_above_schedule',
    () => `${msat} msat, the schedule has ${scheduledMsat}`,
  )
  // The last payout is booked here when the next one is logged: these are the fees of all before it.
  const freeMsat = freeReserveMsat({
    reserveMsat: balances.of('reserve'),
    feesMsat: balances.of('fees'),
    inheritedMsat: balances.of('inherited'),
    lostMsat: balances.of('lost'),
    feeReserveSats: genesis.feeReserveSats,
  })
  check(msat <= freeMsat, 'budget_not_covered', () => `${msat} msat of ${freeMsat} that are free`)
  const dueMsat = scheduledMsat < freeMsat ? scheduledMsat : freeMsat
  // What a pruned node doesn't show of the fees makes more look free than is.
  const isWhole = msat > 0n && (msat >= dueMsat || !state.areCoinsKnown)
  check(isWhole, 'budget_too_small', () => `${msat} msat, ${dueMsat} are due`)
  balances.move('reserve', budgetAccount(epoch), msat)
  budgets.set(epoch, { entry: index, msat })
}
