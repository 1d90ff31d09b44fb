import type { Outpoint } from './anchor-transaction.ts'
import { findSpender, MAX_SEARCHED_BLOCKS } from './find-spender.ts'
import type { Node } from './node.ts'
import { PayerError } from './payer-error.ts'

/** A transaction that has spent a coin for good. */
export interface FinalSpend {
  txid: string
  raw: Uint8Array
  height: number
}

/**
 * However far back to `sinceHeight` it is: whoever asks waits for it. Throws PayerError `input_unspent`, `spend_not_final`;
 * RpcError, NodeError.
 */
export async function findFinalSpend(
  node: Node,
  coin: Outpoint,
  { sinceHeight, finalDepth }: { sinceHeight: number; finalDepth: number },
): Promise<FinalSpend> {
  const name = `${coin.txid}:${coin.vout}`
  const { height: tipHeight } = await node.chain()
  const isUnspent = (await node.txOut(coin, { mempool: false })) !== null
  for (let from = tipHeight; !isUnspent && from >= sinceHeight; from -= MAX_SEARCHED_BLOCKS) {
    const spend = await findSpender(node, coin, from, sinceHeight)
    if (spend === null) continue
    const finalHeight = spend.height + finalDepth - 1
    if (tipHeight >= finalHeight) return spend
    throw new PayerError(
      'spend_not_final',
      `${name} is spent by ${spend.txid}, final at block ${finalHeight}; the tip is at ${tipHeight}`,
    )
  }
  throw new PayerError('input_unspent', `no block from ${sinceHeight} to ${tipHeight} spends ${name}`)
}
