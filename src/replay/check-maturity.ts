import type { StatusOf } from '../log/entry.ts'
import { inheritedMaturityHeight, maturityHeight } from '../rules/epoch.ts'
import { releaseAccruals } from './release-accruals.ts'
import { latestTip, type ReplayState } from './replay-state.ts'

/** A settled epoch's rewards become their workers' for good, once, at the height that the calendar says. */
export function checkMaturity(state: ReplayState, { epoch, height }: StatusOf<'epoch'>, index: number): void {
  const check = state.findings.at('maturity', index)
  const accrual = state.accruals.get(epoch)
  const isOpen = accrual !== undefined && !accrual.isMatured
  check(isOpen, 'epoch_not_settled', () => `epoch ${epoch} is not settled, or has matured`)
  if (!isOpen) return
  const due = maturityHeight(epoch, state.rules)
  checkHeight(state, height, due, index)
  state.accruals.set(epoch, { ...accrual, isMatured: true })
  releaseAccruals(state)
}

/** What came unmatured from the log before, likewise. */
export function checkInheritance(
  state: ReplayState,
  { height }: StatusOf<'inheritance'>,
  index: number,
): void {
  const isOpen = state.inherited !== null && !state.isInheritanceMatured
  const check = state.findings.at('maturity', index)
  if (!check(isOpen, 'nothing_inherited', () => 'nothing was inherited, or it has matured')) return
  checkHeight(state, height, inheritedMaturityHeight(state.rules), index)
  const rows = state.accruals.get('inherited')?.rows ?? []
  state.accruals.set('inherited', { isMatured: true, rows })
  releaseAccruals(state)
  state.isInheritanceMatured = true
}

function checkHeight(state: ReplayState, height: number, due: number, index: number): void {
  const check = state.findings.at('maturity', index)
  check(height === due, 'height_mismatch', () => `says block ${height}, matures at ${due}`)
  check(latestTip(state, index) >= due, 'matured_early', () => `the log held it before block ${due}`)
  state.knownHeight = due
}
