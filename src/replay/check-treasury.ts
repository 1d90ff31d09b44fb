import type { ReplayState } from './replay-state.ts'
import { paysTo } from './script-of.ts'

/** Every coin that the treasury should still hold is unspent in the chain: what is owed is there. */
export async function checkTreasury(state: ReplayState): Promise<void> {
  const { node } = state.source.chain
  // While a payout is on its way its coins may be spent or not.
  if (node === null || !state.areCoinsKnown || state.payouts.some(({ isSettled }) => !isSettled)) {
    state.findings.skip('treasury')
    return
  }
  const check = state.findings.at('treasury', null)
  for (const { txid, vout, sats, script, entry, isSpent } of state.coins.values()) {
    if (isSpent) continue
    const coin = await node.txOut({ txid, vout }, { mempool: false })
    check(
      coin !== null && coin.valueSats === sats && paysTo(coin, script),
      'coin_gone',
      () =>
        `${txid}:${vout} of ${sats} sat, of entry ${entry}, is not the treasury's any more, and no payout spent it`,
    )
  }
}
