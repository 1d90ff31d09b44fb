import type { Node } from './node.ts'
import { PayerError } from './payer-error.ts'
import type { TreasuryCoin } from './payout-transaction.ts'

/** Of 57.5 vB each: more than half of what is left of a relayed transaction beside a thousand payees. */
const MAX_INPUTS = 200
/** COINBASE_MATURITY (Bitcoin Core, consensus/consensus.h). */
const COINBASE_MATURITY = 100

/**
 * Coins that sum to `neededSats`: value descending, then txid and vout, so that the same coins always give the same
 * choice. Each is looked up in the node; a list is not believed. Throws PayerError `insufficient_funds`.
 */
export async function chooseCoins(
  node: Node,
  coins: readonly TreasuryCoin[],
  script: Uint8Array,
  neededSats: bigint,
): Promise<TreasuryCoin[]> {
  const chosen: TreasuryCoin[] = []
  let availableSats = 0n
  for (const { txid, vout, valueSats } of coins.toSorted(byValueThenOutpoint)) {
    if (chosen.length === MAX_INPUTS) break
    const coin = { txid, vout, valueSats }
    if (!(await isSpendable(node, coin, script))) continue
    chosen.push(coin)
    availableSats += valueSats
    if (availableSats >= neededSats) return chosen
  }
  const message = `${neededSats} sat are needed, ${chosen.length} coins hold ${availableSats} sat`
  throw new PayerError('insufficient_funds', message, { neededSats, availableSats })
}

/** Confirmed, mature, not claimed in the mempool, ours, and of that value. */
async function isSpendable(node: Node, coin: TreasuryCoin, script: Uint8Array): Promise<boolean> {
  const output = await node.txOut(coin, { mempool: true })
  if (output === null || output.valueSats !== coin.valueSats || Buffer.compare(output.script, script) !== 0) {
    return false
  }
  return output.confirmations >= (output.coinbase ? COINBASE_MATURITY : 1)
}

function byValueThenOutpoint(a: TreasuryCoin, b: TreasuryCoin): number {
  if (a.valueSats !== b.valueSats) return a.valueSats > b.valueSats ? -1 : 1
  if (a.txid !== b.txid) return a.txid < b.txid ? -1 : 1
  return a.vout - b.vout
}
