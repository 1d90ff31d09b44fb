import type { Outpoint } from './anchor-transaction.ts'
import type { Node } from './node.ts'

/** COINBASE_MATURITY (Bitcoin Core, consensus/consensus.h). */
const COINBASE_MATURITY = 100

interface ListedCoin extends Outpoint {
  valueSats: bigint
}

/**
 * Whether a listed coin is in the chain at that depth, mature, under that script, and of that value. With `mempool`,
 * no unmined transaction may claim it either.
 */
export async function isSpendable(
  node: Node,
  coin: ListedCoin,
  wanted: { script: Uint8Array; minConfirmations: number; mempool: boolean },
): Promise<boolean> {
  const { script, minConfirmations, mempool } = wanted
  const output = await node.txOut(coin, { mempool })
  if (output === null || output.valueSats !== coin.valueSats || Buffer.compare(output.script, script) !== 0) {
    return false
  }
  const { confirmations, coinbase } = output
  return confirmations >= minConfirmations && (!coinbase || confirmations >= COINBASE_MATURITY)
}

/** Value descending, then txid and vout: the same coins in any order give the same choice. */
export function byValueThenOutpoint(a: ListedCoin, b: ListedCoin): number {
  if (a.valueSats !== b.valueSats) return a.valueSats > b.valueSats ? -1 : 1
  if (a.txid !== b.txid) return a.txid < b.txid ? -1 : 1
  return a.vout - b.vout
}
