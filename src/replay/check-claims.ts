import { settlePayment } from './check-payment.ts'
import type { Claims } from './replay-source.ts'
import type { ReplayState } from './replay-state.ts'

/** The operator's own books, at the size of the log at which it showed them, against those that follow from the log. */
export async function checkClaims(state: ReplayState, { accounts, payments }: Claims): Promise<void> {
  const last = state.payouts.at(-1)
  if (last !== undefined && payments.get(last.number)?.settled === true) await settlePayment(state, last)
  const check = state.findings.at('balances', null)
  const recomputed = state.balances.all()
  for (const name of new Set([...recomputed.keys(), ...accounts.keys()])) {
    const [own, claimed] = [recomputed.get(name) ?? 0n, accounts.get(name) ?? 0n]
    check(own === claimed, 'balance_mismatch', () => `${name} holds ${claimed} msat, recomputed ${own}`)
  }
}
