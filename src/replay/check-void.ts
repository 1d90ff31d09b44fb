import type { Transaction } from 'bitcoinjs-lib'
import { parseTransaction } from '../../anchor/parse-transaction.ts'
import { payoutAccount } from '../ledger/accounts.ts'
import type { EntryOf } from '../log/entry.ts'
import { txidText } from '../log/txid.ts'
import { MSAT_PER_SAT } from '../rules/msat-per-sat.ts'
import { paysAll } from '../rules/pays-all.ts'
import { readMined } from './check-payment.ts'
import { latestTip, type ReplayedPayout, type ReplayState } from './replay-state.ts'
import { scriptOf } from './script-of.ts'
import { PRUNED } from './unless-pruned.ts'

/** The last payout is given up: something else has spent its coin for good, and its payees are owed what it was to pay. */
export async function checkVoid(state: ReplayState, entry: EntryOf<'void'>, index: number): Promise<void> {
  const check = state.findings.at('payouts', index)
  const { payout: number, height, lostSats } = entry
  const payout = state.payouts.findLast((one) => one.number === number && !one.isSettled)
  check(payout !== undefined, 'payout_not_open', () => `payout ${number} is not under way`)
  if (payout === undefined) return
  const finalHeight = height - 1 + state.rules.finalDepth
  const tip = latestTip(state, index)
  check(finalHeight <= tip, 'void_early', () => `final at block ${finalHeight}, logged by block ${tip}`)
  await checkSpend(state, payout, entry, index)
  state.balances.move('lost', 'treasury', lostSats * MSAT_PER_SAT)
  giveBack(state, payout)
}

export function giveBack({ balances }: ReplayState, payout: ReplayedPayout): void {
  payout.isSettled = true
  for (const { account, sats } of payout.payees) {
    balances.move(payoutAccount(payout.number), account, sats * MSAT_PER_SAT)
  }
}

/** Whether a transaction in the chain is the payment, whoever made it. */
export function isPaidBy(
  { genesis }: ReplayState,
  { payees }: ReplayedPayout,
  { outs }: Transaction,
): boolean {
  const payments = payees.map(({ address, sats }) => ({ script: scriptOf(address, genesis.network), sats }))
  return paysAll(outs, payments)
}

/** In its block it spends the pinned coin, isn't the payment, and what it took of the treasury is what the entry says. */
async function checkSpend(
  state: ReplayState,
  payout: ReplayedPayout,
  { txid, height, lostSats }: EntryOf<'void'>,
  index: number,
): Promise<void> {
  const check = state.findings.at('payments', index)
  const name = txidText(txid)
  const raw = state.source.chain.node === null ? PRUNED : await readMined(state, { txid: name, height })
  if (raw === PRUNED) {
    state.findings.skip('payments')
    state.areCoinsKnown = false
    return
  }
  const transaction = raw === null ? null : parseTransaction(raw)
  check(transaction?.getId() === name, 'spend_missing', () => `transaction ${name} is not in block ${height}`)
  if (transaction === null) return
  const { input } = payout
  const pinned = `${txidText(input.txid)}:${input.vout}`
  const outpoints = transaction.ins.map(({ hash, index: vout }) => `${txidText(hash)}:${vout}`)
  check(outpoints.includes(pinned), 'input_not_pinned', () => `${name} does not spend ${pinned}`)
  check(!isPaidBy(state, payout, transaction), 'voided_payment', () => `${name} pays what it should pay`)
  let spentSats = 0n
  for (const outpoint of outpoints) {
    const coin = state.coins.get(outpoint)
    if (coin === undefined) continue
    coin.isSpent = true
    spentSats += coin.sats
  }
  check(
    spentSats === lostSats || !state.areCoinsKnown,
    'lost_mismatch',
    () => `${name} spends ${spentSats} sat of the treasury's, booked ${lostSats}`,
  )
}
