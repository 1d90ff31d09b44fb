import { findHeight } from './inclusion.ts'
import type { Node } from './node.ts'
import type { OpenPayout, PayerStore } from './payer-store.ts'
import type { SendOutcome } from './send-outcome.ts'

/** A reorg deeper than this is a case for people; it bounds how far below its preparation a payout is looked for. */
const MAX_REORG_BLOCKS = 100

/**
 * One payout, judged at the present tip and sent again where the node lost it: the same bytes, always. An unknown
 * outcome leaves it as it is. Throws RpcError, NodeError.
 */
export async function advancePayout(
  node: Node,
  store: PayerStore,
  payout: OpenPayout,
  finalDepth: number,
): Promise<void> {
  const { number, txid, raw, state } = payout
  const { height: tipHeight } = await node.chain()
  const confirm = (block: { height: number; blockHash: string }) =>
    store.markConfirmed(number, block, tipHeight - block.height + 1 >= finalDepth)

  const { block } = payout
  if (block !== null && (await node.blockHash(block.height)) === block.blockHash) return confirm(block)
  if ((await node.mempoolEntry(txid)) !== null) return store.markBroadcast(number)

  const outcome = await node.send(raw)
  if (outcome.kind === 'accepted') return store.markBroadcast(number)
  // Anything else may mean that it is in a block: look before saying that something is wrong.
  const found = await findBlock(node, payout, tipHeight)
  if (found !== null) return confirm(found)
  if (state === 'confirmed') store.markBroadcast(number)
  store.markTrouble(number, troubleOf(outcome))
}

function troubleOf(outcome: Exclude<SendOutcome, { kind: 'accepted' }>): string {
  switch (outcome.kind) {
    case 'known':
      return 'the node knows it, but shows it neither in the mempool nor in a block'
    case 'spent':
      return `an input is missing or spent: ${outcome.detail}`
    case 'refused':
      return `refused by the node: ${outcome.detail}`
    case 'unknown':
      return `no answer to the broadcast: ${outcome.detail}`
  }
}

/** By its change output while that is unspent, else block by block. */
async function findBlock(
  node: Node,
  { txid, changeVout, sinceHeight }: OpenPayout,
  tipHeight: number,
): Promise<{ height: number; blockHash: string } | null> {
  const change = await node.txOut({ txid, vout: changeVout }, { mempool: false })
  const height =
    change === null
      ? await findHeight(node, txid, tipHeight, sinceHeight - MAX_REORG_BLOCKS)
      : tipHeight - change.confirmations + 1
  const blockHash = height === null ? null : await node.blockHash(height)
  if (height === null || blockHash === null) return null
  // The tip may have moved since: only a block that holds it counts.
  return (await node.transactionInBlock(txid, blockHash)) === null ? null : { height, blockHash }
}
