import { maturedAccount, unmaturedAccount } from '../ledger/accounts.ts'
import type { StatusOf } from '../log/entry.ts'
import { maturityHeight } from '../rules/epoch.ts'
import { latestTip, type ReplayState } from './replay-state.ts'

/** A settled epoch's rewards become their workers' for good, once, at the height that the calendar says. */
export function checkMaturity(state: ReplayState, { epoch, height }: StatusOf<'epoch'>, index: number): void {
  const check = state.findings.at('maturity', index)
  const accrual = state.accruals.get(epoch)
  check(accrual !== undefined, 'epoch_not_settled', () => `epoch ${epoch} is not settled, or has matured`)
  if (accrual === undefined) return
  const due = maturityHeight(epoch, state.rules)
  check(height === due, 'height_mismatch', () => `says block ${height}, matures at ${due}`)
  check(latestTip(state, index) >= due, 'matured_early', () => `the log held it before block ${due}`)
  for (const [worker, msat] of accrual) {
    state.balances.move(unmaturedAccount(worker), maturedAccount(worker), msat)
  }
  state.accruals.delete(epoch)
  state.knownHeight = due
}
