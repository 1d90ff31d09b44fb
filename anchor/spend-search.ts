import type { Outpoint } from './anchor-transaction.ts'
import { findSpenderSince, type Spender } from './find-spender.ts'
import type { Node } from './node.ts'

/** A year, some minutes' reading, and once: a database that was away for longer is a case for people. */
export const MAX_PAST_BLOCKS = 52_560

/** What spends a coin in the best chain, looked for from the tip down; null: not found there. */
export type SpendSearch = (coin: Outpoint) => Promise<Spender | null>

/** Reads no block twice for the coin that was asked for last: there is one payout at a time. */
export function openSpendSearch(node: Node): SpendSearch {
  let last: { name: string; height: number; hash: string; found: Spender | null } | null = null

  return async (coin) => {
    const name = `${coin.txid}:${coin.vout}`
    const { height, hash } = await node.chain()
    // The block that was the tip then stands for all below it.
    const before = last?.name === name && (await node.blockHash(last.height)) === last.hash ? last : null
    const since = before === null ? Math.max(0, height - MAX_PAST_BLOCKS + 1) : before.height + 1
    const found = before?.found ?? (await findSpenderSince(node, coin, height, since))
    last = { name, height, hash, found }
    return found
  }
}
