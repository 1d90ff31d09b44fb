import { maturedAccount, requesterAccount, unmaturedAccount } from '../ledger/accounts.ts'
import { standingOf } from '../rules/cusum.ts'
import { type Accrued, type ForfeitScope, isForfeited, mayMature, shareForfeit } from '../rules/maturing.ts'
import type { ReplayState } from './replay-state.ts'

/** Moves every reward whose height has come and that nothing holds back. */
export function releaseAccruals({ accruals, balances, standings }: ReplayState): void {
  const known = {
    standingOf: (worker: string) => standingOf(standings.recordOf(worker).suspicion),
    isFrozen: standings.isFrozen,
  }
  for (const [epoch, { isMatured, rows }] of accruals) {
    if (!isMatured) continue
    const { free = [], held = [] } = Object.groupBy(rows, (row) => (mayMature(row, known) ? 'free' : 'held'))
    for (const { worker, msat } of free) balances.move(unmaturedAccount(worker), maturedAccount(worker), msat)
    if (held.length === 0) accruals.delete(epoch)
    else accruals.set(epoch, { isMatured, rows: held })
  }
}

/** Takes from a worker whatever it has unmatured, or that for audits alone. @returns how much */
export function forfeitAccruals(
  { accruals, balances }: ReplayState,
  worker: string,
  scope: ForfeitScope,
): bigint {
  const isTaken = (row: Accrued) => row.worker === worker && isForfeited(row, scope)
  const own = [...accruals.values()].flatMap(({ rows }) => rows.filter(isTaken))
  for (const [epoch, { isMatured, rows }] of accruals) {
    accruals.set(epoch, { isMatured, rows: rows.filter((row) => !isTaken(row)) })
  }
  const { refunds, reserveMsat } = shareForfeit(own)
  for (const { requester, msat } of refunds)
    balances.move(unmaturedAccount(worker), requesterAccount(requester), msat)
  balances.move(unmaturedAccount(worker), 'reserve', reserveMsat)
  return own.reduce((sum, { msat }) => sum + msat, 0n)
}
