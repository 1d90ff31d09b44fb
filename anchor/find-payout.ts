import assert from 'node:assert/strict'
import { findHeight } from './inclusion.ts'
import type { Node } from './node.ts'
import type { PayoutAttempt, PayoutRecord } from './payout-record.ts'

/** A reorg deeper than this is a case for people; it bounds how far below its making an attempt is looked for. */
const MAX_REORG_BLOCKS = 100

interface Block {
  height: number
  blockHash: string
}

/** A transaction of ours in a block of the best chain. */
export interface MinedAttempt {
  attempt: PayoutAttempt
  block: Block
}

/** The attempt of `attempts` that the best chain holds: at most one can be there. Throws RpcError, NodeError. */
export async function findMined(
  node: Node,
  payout: PayoutRecord,
  attempts: readonly PayoutAttempt[],
  tipHeight: number,
): Promise<MinedAttempt | null> {
  for (const attempt of attempts) {
    const { block } = attempt
    if (block !== null && (await node.blockHash(block.height)) === block.blockHash) return { attempt, block }
  }
  // While the coin that each of them spends is unspent, none is mined, and no block need be read.
  const [first] = attempts
  if (first === undefined || (await node.txOut(spentBy(payout, first), { mempool: false })) !== null)
    return null
  for (const attempt of attempts) {
    const block = await findBlock(node, payout, attempt, tipHeight)
    if (block !== null) return { attempt, block }
  }
  return null
}

/** The first of them that the node's mempool holds. */
export async function findWaiting(
  node: Node,
  attempts: readonly PayoutAttempt[],
): Promise<PayoutAttempt | null> {
  for (const attempt of attempts) {
    if ((await node.mempoolEntry(attempt.txid)) !== null) return attempt
  }
  return null
}

/** The pinned input of a payment; the parent's change of a child. */
function spentBy({ inputs, outputs, attempts }: PayoutRecord, { parent }: PayoutAttempt) {
  const [pinned] = inputs
  const paid = attempts.find(({ number }) => number === parent)
  const coin = paid === undefined ? pinned : { txid: paid.txid, vout: outputs.length }
  assert(coin !== undefined, 'a payout has a pinned input')
  return coin
}

/** By its change output while that is unspent, else block by block. */
async function findBlock(
  node: Node,
  { outputs }: PayoutRecord,
  { txid, sinceHeight, parent }: PayoutAttempt,
  tipHeight: number,
): Promise<Block | null> {
  const vout = parent === null ? outputs.length : 0
  const change = await node.txOut({ txid, vout }, { mempool: false })
  const height =
    change === null
      ? await findHeight(node, txid, tipHeight, sinceHeight - MAX_REORG_BLOCKS)
      : tipHeight - change.confirmations + 1
  const blockHash = height === null ? null : await node.blockHash(height)
  if (height === null || blockHash === null) return null
  // The tip may have moved since: only a block that holds it counts.
  return (await node.transactionInBlock(txid, blockHash)) === null ? null : { height, blockHash }
}
