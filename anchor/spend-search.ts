import type { Outpoint } from './anchor-transaction.ts'
import { findSpender } from './find-spender.ts'
import type { Node } from './node.ts'

/** What spends a coin in the best chain, as findSpender finds it from the tip down. */
export type SpendSearch = (coin: Outpoint) => ReturnType<typeof findSpender>

/** Reads no block twice for the coin that was asked for last: there is one payout at a time. */
export function openSpendSearch(node: Node): SpendSearch {
  let last: { name: string; height: number; hash: string; found: Awaited<ReturnType<SpendSearch>> } | null =
    null

  return async (coin) => {
    const name = `${coin.txid}:${coin.vout}`
    const { height, hash } = await node.chain()
    // The block that was the tip then stands for all below it.
    const before = last?.name === name && (await node.blockHash(last.height)) === last.hash ? last : null
    const found =
      before?.found ?? (await findSpender(node, coin, height, before === null ? 0 : before.height + 1))
    last = { name, height, hash, found }
    return found
  }
}
