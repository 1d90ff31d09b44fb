import type { Outpoint } from './anchor-transaction.ts'
import { findSpenderSince, type Spender } from './find-spender.ts'
import type { Node } from './node.ts'
import { PayerError } from './payer-error.ts'

/**
 * What has spent any of `coins`, which were unspent together below `sinceHeight`, however long ago: whoever
 * asks waits for it. Throws PayerError `input_unspent`, `spend_not_final`; RpcError, NodeError.
 */
export async function findFinalSpends(
  node: Node,
  coins: readonly Outpoint[],
  { sinceHeight, finalDepth }: { sinceHeight: number; finalDepth: number },
): Promise<Spender[]> {
  const { height: tipHeight } = await node.chain()
  const spends = new Map<string, Spender>()
  const left: Outpoint[] = []
  for (const coin of coins) {
    const isUnspent = (await node.txOut(coin, { mempool: false })) !== null
    const spend = isUnspent ? null : await findSpenderSince(node, coin, tipHeight, sinceHeight)
    if (spend === null) {
      left.push(coin)
      continue
    }
    const finalHeight = spend.height + finalDepth - 1
    if (tipHeight < finalHeight) {
      throw new PayerError(
        'spend_not_final',
        `${nameOf(coin)} is spent by ${spend.txid}, final at block ${finalHeight}; the tip is at ${tipHeight}`,
      )
    }
    spends.set(spend.txid, spend)
  }
  if (spends.size === 0) {
    throw new PayerError(
      'input_unspent',
      `no block from ${sinceHeight} to ${tipHeight} spends ${coins.map(nameOf).join(' or ')}`,
    )
  }
  // It may pay somebody as well, and whoever it pays would be owed again.
  for (const coin of left) {
    if ((await node.txOut(coin, { mempool: true })) !== null) continue
    throw new PayerError('spend_not_final', `${nameOf(coin)} is spent by a transaction that no block has yet`)
  }
  return [...spends.values()]
}

function nameOf({ txid, vout }: Outpoint): string {
  return `${txid}:${vout}`
}
