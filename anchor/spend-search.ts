import type { Outpoint } from './anchor-transaction.ts'
import { findSpender, type Spender } from './find-spender.ts'
import type { Node } from './node.ts'
import { NodeError } from './node-error.ts'
import { PayerError } from './payer-error.ts'

/** Two weeks, a minute or two's reading: what one call reads of the past at most. */
const MAX_READ_BLOCKS = 2_016

/** What spends a coin in the best chain; null: not found there. Throws PayerError `spender_unread`; RpcError, NodeError. */
export type SpendSearch = (coin: Outpoint) => Promise<Spender | null>

/**
 * Looks from the tip down to `sinceHeight`, at the next call from where this one ends, and reads no block twice for
 * the coin that was asked for last: there is one payout at a time.
 */
export function openSpendSearch(
  node: Node,
): (coin: Outpoint, sinceHeight: number) => Promise<Spender | null> {
  /** All is read from the block of that hash down to the one above `next`. */
  let last: { name: string; height: number; hash: string; next: number; found: Spender | null } | null = null

  return async (coin, sinceHeight) => {
    const name = `${coin.txid}:${coin.vout}`
    const { height, hash } = await node.chain()
    // The block that was the tip then stands for all below it.
    const before = last?.name === name && (await node.blockHash(last.height)) === last.hash ? last : null
    const state = { name, height, hash, next: before?.next ?? height, found: before?.found ?? null }
    for (let at = height; state.found === null && at > (before?.height ?? height); at -= 1) {
      state.found = await spenderAt(node, coin, at)
    }
    last = state
    const lowest = Math.max(0, sinceHeight)
    const enough = state.next - MAX_READ_BLOCKS
    for (; state.found === null && state.next >= lowest; state.next -= 1) {
      if (state.next === enough) throw unread(coin, `blocks ${lowest} to ${enough} are read later`)
      state.found = await spenderAt(node, coin, state.next)
    }
    return state.found
  }
}

async function spenderAt(node: Node, coin: Outpoint, height: number): Promise<Spender | null> {
  try {
    return await findSpender(node, coin, height, height)
  } catch (error) {
    if (!(error instanceof NodeError) || error.code !== 'block_pruned') throw error
    throw unread(coin, `block ${height} is pruned: connect a node that has it and those before it`)
  }
}

function unread({ txid, vout }: Outpoint, why: string): PayerError {
  return new PayerError('spender_unread', `${txid}:${vout} is spent, by what is not found yet; ${why}`)
}
