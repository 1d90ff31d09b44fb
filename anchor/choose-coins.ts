import type { Node } from './node.ts'
import { PayerError } from './payer-error.ts'
import type { TreasuryCoin } from './payout-transaction.ts'
import { byValueThenOutpoint, isSpendable } from './spendable-coin.ts'

/** Of 57.5 vB each: more than half of what is left of a relayed transaction beside a thousand payees. */
const MAX_INPUTS = 200

/**
 * Coins that sum to `neededSats`: value descending, then txid and vout, so that the same coins always give the same
 * choice. Each is looked up in the node; a list is not believed. Throws PayerError `insufficient_funds`,
 * `coins_too_small`.
 */
export async function chooseCoins(
  node: Node,
  coins: readonly TreasuryCoin[],
  scriptOf: (coin: TreasuryCoin) => Uint8Array,
  neededSats: bigint,
): Promise<TreasuryCoin[]> {
  const chosen: TreasuryCoin[] = []
  let availableSats = 0n
  for (const { txid, vout, valueSats, keyIndex } of coins.toSorted(byValueThenOutpoint)) {
    if (chosen.length === MAX_INPUTS) {
      const message = `${neededSats} sat are needed, the ${MAX_INPUTS} largest coins hold ${availableSats} sat, and no payout spends more of them`
      throw new PayerError('coins_too_small', message, { neededSats, availableSats })
    }
    const coin = { txid, vout, valueSats, keyIndex }
    const script = scriptOf(coin)
    if (!(await isSpendable(node, coin, { script, minConfirmations: 1, mempool: true }))) continue
    chosen.push(coin)
    availableSats += valueSats
    if (availableSats >= neededSats) return chosen
  }
  const message = `${neededSats} sat are needed, ${chosen.length} coins hold ${availableSats} sat`
  throw new PayerError('insufficient_funds', message, { neededSats, availableSats })
}
