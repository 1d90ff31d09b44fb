import { Transaction } from 'bitcoinjs-lib'
import { maturedAccount, parseAccount, unmaturedAccount } from '../ledger/accounts.ts'
import type { InheritedBalances } from '../log/inherited-balances.ts'
import { txidBytes, txidText } from '../log/txid.ts'
import { isPayment, settlePayment } from './check-payment.ts'
import { bookVoid, paidElsewhere, spendCoins } from './check-void.ts'
import { findPayment, findSpends } from './find-payment.ts'
import { payToOf } from './pay-to-of.ts'
import type { ChainNode } from './replay-source.ts'
import type { ReplayedPayout, ReplayState } from './replay-state.ts'
import { SuccessionError } from './succession-error.ts'
import { PRUNED, unlessPruned } from './unless-pruned.ts'

/**
 * What a closed log holds and owes after its last anchored entry. Budgets of epochs that are not settled, and all else that
 * nobody has earned yet, are its reserve: what the coins exceed the debts by. Throws SuccessionError.
 */
export async function balancesLeft(state: ReplayState, node: ChainNode): Promise<InheritedBalances> {
  const open = state.payouts.findLast(({ isSettled }) => !isSettled)
  if (open !== undefined) await closePayout(state, node, open)
  if (!state.areCoinsKnown) {
    throw new SuccessionError('coins_unknown', 'a payment of its treasury can not be read in this chain')
  }
  const { balances, genesis } = state
  const accounts = [...balances.all()].map(([name, msat]) => ({ ...parseAccount(name), msat }))
  const isWorkers = new Set(['matured', 'unmatured'])
  const keys = accounts.flatMap(({ kind, owner, msat }) =>
    isWorkers.has(kind) && msat > 0n && owner ? [owner] : [],
  )
  return {
    v: 1,
    treasury: genesis.treasury,
    coins: [...state.coins.values()]
      .filter(({ isSpent }) => !isSpent)
      .map(({ txid, vout, sats }) => ({ txid: txidBytes(txid), vout, sats }))
      .toSorted((a, b) => Buffer.compare(a.txid, b.txid) || a.vout - b.vout),
    requesters: accounts
      .flatMap(({ kind, owner, msat }) =>
        kind === 'requester' && owner && msat > 0n ? [{ requester: owner, msat }] : [],
      )
      .toSorted((a, b) => (a.requester < b.requester ? -1 : 1)),
    workers: [...new Set(keys)].toSorted().map((key) => ({
      worker: new Uint8Array(Buffer.from(key, 'hex')),
      // Every change that is anchored here is in force by the time that another log pays.
      address: payToOf(state, key, Number.MAX_SAFE_INTEGER)?.address ?? '',
      maturedMsat: balances.of(maturedAccount(key)),
      unmaturedMsat: balances.of(unmaturedAccount(key)),
    })),
  }
}

/** The last intent was carried out, or never can be any more: the coin that it pinned is spent, for good. */
async function closePayout(state: ReplayState, node: ChainNode, payout: ReplayedPayout): Promise<void> {
  const { input, number } = payout
  const pinned = `${txidText(input.txid)}:${input.vout}`
  const found = await unlessPruned(findPayment(state, node, payout))
  if (found === PRUNED || found === null) {
    throw new SuccessionError(
      'payout_open',
      `payout ${number} may still be sent: spend the coin that it pins, ${pinned}, or wait for the payment`,
    )
  }
  const finalHeight = Math.max(found.height, found.child?.height ?? 0) + state.rules.finalDepth - 1
  if (state.source.chain.tipHeight < finalHeight) {
    throw new SuccessionError(
      'not_final_yet',
      `what spends the coin of payout ${number} is final at block ${finalHeight}`,
    )
  }
  const transaction = Transaction.fromBuffer(found.raw)
  if (isPayment(state, payout, transaction)) {
    await settlePayment(state, payout)
    return
  }
  const spends = await findSpends(state, node, payout.height - state.rules.finalDepth + 1, found.height)
  const outs = spends.flatMap((spend) => spend.outs)
  const spentSats = spends.reduce((sum, spend) => sum + spendCoins(state, spend), 0n)
  bookVoid(state, payout, { paid: paidElsewhere(state, payout, outs), spentSats })
}
