import assert from 'node:assert/strict'
import type { Node } from './node.ts'
import type { PayoutAttempt, PayoutRecord } from './payout-record.ts'
import type { SpendSearch } from './spend-search.ts'

interface Block {
  height: number
  blockHash: string
}

/** A transaction of ours in a block of the best chain. */
export interface MinedAttempt {
  attempt: PayoutAttempt
  block: Block
}

/** The attempt of `attempts` that the best chain holds: at most one can be there. Throws PayerError `spender_unread`; RpcError, NodeError. */
export async function findMined(
  { node, search }: { node: Node; search: SpendSearch },
  payout: PayoutRecord,
  attempts: readonly PayoutAttempt[],
): Promise<MinedAttempt | null> {
  for (const attempt of attempts) {
    const { block } = attempt
    if (block !== null && (await node.blockHash(block.height)) === block.blockHash) return { attempt, block }
  }
  const [first] = attempts
  if (first === undefined) return null
  const coin = spentBy(payout, first)
  // While the coin that each of them spends is unspent, none is mined, and no block need be read.
  if ((await node.txOut(coin, { mempool: false })) !== null) return null
  const block = await search(coin)
  const attempt = attempts.find(({ txid }) => txid === block?.txid)
  return block === null || attempt === undefined ? null : { attempt, block }
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
