import { isDeepStrictEqual } from 'node:util'
import { Transaction } from 'bitcoinjs-lib'
import { payoutAccount } from '../ledger/accounts.ts'
import type { EntryOf } from '../log/entry.ts'
import { txidText } from '../log/txid.ts'
import { MSAT_PER_SAT } from '../rules/msat-per-sat.ts'
import { paidPayees } from '../rules/paid-payees.ts'
import { voidMoves } from '../rules/void-moves.ts'
import { isPayment, readMined } from './check-payment.ts'
import { latestTip, type ReplayedPayout, type ReplayState } from './replay-state.ts'
import { scriptOf } from './script-of.ts'
import { PRUNED } from './unless-pruned.ts'

/** The last payout is given up: something else has spent coins of it, and whom that didn't pay is owed again. */
export async function checkVoid(state: ReplayState, entry: EntryOf<'void'>, index: number): Promise<void> {
  const check = state.findings.at('payouts', index)
  const { payout: number, spends, spentSats, paid } = entry
  const payout = state.payouts.findLast((one) => one.number === number && !one.isSettled)
  check(payout !== undefined, 'payout_not_open', () => `payout ${number} is not under way`)
  if (payout === undefined) return
  const finalHeight = Math.max(...spends.map(({ height }) => height)) - 1 + state.rules.finalDepth
  const tip = latestTip(state, index)
  check(finalHeight <= tip, 'void_early', () => `final at block ${finalHeight}, logged by block ${tip}`)
  const count = payout.payees.length
  check((paid.at(-1) ?? 0) < count, 'payee_unknown', () => `pays payee ${paid.at(-1)} of ${count}`)
  await checkSpends(state, payout, entry, index)
  bookVoid(state, payout, { paid, spentSats })
}

export function bookVoid(
  { balances }: ReplayState,
  payout: ReplayedPayout,
  spent: { paid: readonly number[]; spentSats: bigint },
): void {
  payout.isSettled = true
  for (const { debit, credit, sats } of voidMoves(payoutAccount(payout.number), payout.payees, spent)) {
    balances.move(debit, credit, sats * MSAT_PER_SAT)
  }
}

/** Positions of the payees whom transactions with these outputs, none of which is the payment, pay. */
export function paidElsewhere(
  { genesis }: ReplayState,
  { payees }: ReplayedPayout,
  outs: Transaction['outs'],
): number[] {
  const payments = payees.map(({ address, sats }) => ({ script: scriptOf(address, genesis.network), sats }))
  return paidPayees(outs, payments)
}

/** What it spends of the treasury's coins, which are spent from here on. */
export function spendCoins({ coins }: ReplayState, { ins }: Transaction): bigint {
  let spentSats = 0n
  for (const { hash, index } of ins) {
    const coin = coins.get(`${txidText(hash)}:${index}`)
    if (coin === undefined || coin.isSpent) continue
    coin.isSpent = true
    spentSats += coin.sats
  }
  return spentSats
}

/** In their blocks they spend coins of the treasury's, each some, and pay whom the entry says. */
async function checkSpends(
  state: ReplayState,
  payout: ReplayedPayout,
  said: EntryOf<'void'>,
  index: number,
): Promise<void> {
  const check = state.findings.at('payments', index)
  const outs: Transaction['outs'] = []
  let spentSats = 0n
  let payment: string | null = null
  for (const { txid, height } of said.spends) {
    const name = txidText(txid)
    const raw = state.source.chain.node === null ? PRUNED : await readMined(state, { txid: name, height })
    if (raw === PRUNED) {
      state.findings.skip('payments')
      state.areCoinsKnown = false
      return
    }
    const transaction = raw === null ? null : Transaction.fromBuffer(raw)
    check(
      transaction?.getId() === name,
      'spend_missing',
      () => `transaction ${name} is not in block ${height}`,
    )
    if (transaction === null) return
    const sats = spendCoins(state, transaction)
    // Which coins the payout has beside the pinned one, the log doesn't say.
    check(
      sats > 0n || !state.areCoinsKnown,
      'input_not_treasury',
      () => `${name} spends no coin of the treasury's by the log`,
    )
    if (isPayment(state, payout, transaction)) payment = name
    outs.push(...transaction.outs)
    spentSats += sats
  }
  const paid = paidElsewhere(state, payout, outs)
  check(
    isDeepStrictEqual(said.paid, paid),
    'paid_mismatch',
    () => `pays ${describe(paid)}, booked ${describe(said.paid)}`,
  )
  check(
    spentSats === said.spentSats || !state.areCoinsKnown,
    'spent_mismatch',
    () => `spends ${spentSats} sat of the treasury's, booked ${said.spentSats}`,
  )
  check(
    payment === null || !state.areCoinsKnown,
    'voided_payment',
    () => `${payment} is the payment of payout ${payout.number}`,
  )
}

function describe(positions: readonly number[]): string {
  return positions.length === 0 ? 'no payee' : `payees ${positions.join(', ')}`
}
