import { Transaction } from 'bitcoinjs-lib'
import type { Outpoint } from './anchor-transaction.ts'
import { spendsAt } from './check-anchor-transaction.ts'
import { findSpenderSince, type Spender } from './find-spender.ts'
import type { Node } from './node.ts'
import { PayerError } from './payer-error.ts'

/**
 * What has spent any of `coins`, which were unspent together below `sinceHeight`, however long ago, and the
 * coins that are left: whoever asks waits for it. Throws PayerError `input_unspent`, `spend_not_final`;
 * RpcError, NodeError.
 */
export async function findFinalSpends<C extends Outpoint>(
  node: Node,
  coins: readonly C[],
  { sinceHeight, finalDepth }: { sinceHeight: number; finalDepth: number },
): Promise<{ spends: Spender[]; left: C[] }> {
  const { height: tipHeight } = await node.chain()
  const spends: Spender[] = []
  const left: C[] = []
  for (const coin of coins) {
    if (spends.some(({ raw }) => doesSpend(raw, coin))) continue
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
    spends.push(spend)
  }
  if (spends.length === 0) {
    throw new PayerError(
      'input_unspent',
      `no block from ${sinceHeight} to ${tipHeight} spends ${coins.map(nameOf).join(' or ')}`,
    )
  }
  return { spends, left }
}

/**
 * What spends one of them meanwhile may pay somebody as well, and whoever it pays would be owed again. Throws
 * PayerError `spend_not_final`; RpcError, NodeError.
 */
export async function checkLeft(node: Node, left: readonly Outpoint[]): Promise<void> {
  for (const coin of left) {
    if ((await node.txOut(coin, { mempool: true })) !== null) continue
    throw new PayerError('spend_not_final', `${nameOf(coin)} is spent by a transaction that is not final`)
  }
}

function doesSpend(raw: Uint8Array, coin: Outpoint): boolean {
  const transaction = Transaction.fromBuffer(raw)
  return transaction.ins.some((_input, at) => spendsAt(transaction, at, coin))
}

function nameOf({ txid, vout }: Outpoint): string {
  return `${txid}:${vout}`
}
