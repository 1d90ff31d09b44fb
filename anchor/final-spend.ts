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
 * What has spent any of `coins`, which were unspent together below `sinceHeight`, however long ago: whoever
 * asks waits for it. Throws PayerError `input_unspent`, `spend_not_final`; RpcError, NodeError.
 */
export async function findFinalSpends(
  node: Node,
  coins: readonly Outpoint[],
  { sinceHeight, finalDepth }: { sinceHeight: number; finalDepth: number },
): Promise<FinalSpend[]> {
  const { height: tipHeight } = await node.chain()
  const spends = new Map<string, FinalSpend>()
  const left: Outpoint[] = []
  for (const coin of coins) {
    const isUnspent = (await node.txOut(coin, { mempool: false })) !== null
    const spend = isUnspent ? null : await search(node, coin, tipHeight, sinceHeight)
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

async function search(
  node: Node,
  coin: Outpoint,
  tipHeight: number,
  sinceHeight: number,
): Promise<FinalSpend | null> {
  for (let from = tipHeight; from >= sinceHeight; from -= MAX_SEARCHED_BLOCKS) {
    const spend = await findSpender(node, coin, from, sinceHeight)
    if (spend !== null) return spend
  }
  return null
}

function nameOf({ txid, vout }: Outpoint): string {
  return `${txid}:${vout}`
}
