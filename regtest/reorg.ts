import assert from 'node:assert/strict'
import type { BitcoinRpc } from '../anchor/rpc.ts'
import { expectNumber, expectText } from './expect-json.ts'
import { type Miner, mineEmpty } from './miner.ts'

export interface Reorg {
  /** Block hashes that left the chain, lowest first. */
  readonly disconnected: string[]
  /** Block hashes of the rival branch, lowest first. */
  readonly connected: string[]
}

/**
 * Replaces the last `depth` blocks by a rival branch of `blocks` blocks. Transactions of the old branch return
 * to the mempool (of a reorg deeper than 10 blocks bitcoind drops them: Bitcoin Core, InvalidateBlock) and stay
 * there: the rival blocks are empty, unless `empty` is false.
 */
export async function reorgChain(
  rpc: BitcoinRpc,
  miner: Miner,
  depth: number,
  blocks: number,
  options: { empty?: boolean } = {},
): Promise<Reorg> {
  const height = expectNumber(await rpc.call('getblockcount'), 'getblockcount')
  assert(depth >= 1 && depth <= height, `reorg depth ${depth} on a chain of ${height} blocks`)
  const disconnected: string[] = []
  for (let at = height - depth + 1; at <= height; at++) {
    disconnected.push(expectText(await rpc.call('getblockhash', at), 'getblockhash'))
  }
  await rpc.call('invalidateblock', disconnected[0])
  const connected = options.empty === false ? await miner.mine(blocks) : await mineEmpty(rpc, blocks)
  // With more work on the rival, the old branch is again what it is on a real network: valid and behind.
  if (blocks > depth) await rpc.call('reconsiderblock', disconnected[0])
  return { disconnected, connected }
}
