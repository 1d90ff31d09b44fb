import { AnchorStall } from './anchor-stall.ts'
import type { Seal } from './anchor-transaction.ts'
import { sealScript } from './commitment.ts'
import type { Node } from './node.ts'

/**
 * Checks that the seal is there to be spent: in the chain, with its value, under our key, and claimed in the mempool
 * by nobody but `ours`. An old copy of the database fails here before it signs. Throws AnchorStall.
 */
export async function checkSeal(
  node: Node,
  seal: Seal,
  internalKey: Uint8Array,
  ours: readonly string[],
): Promise<void> {
  const name = `seal ${seal.txid}:${seal.vout}`
  const confirmed = await node.txOut(seal, { mempool: false })
  const unclaimed = await node.txOut(seal, { mempool: true })
  if (confirmed === null) {
    throw unclaimed === null
      ? new AnchorStall('seal_missing', `${name} is not in the chain, or spent by a transaction unknown here`)
      : new AnchorStall('seal_unconfirmed', `${name} waits to be mined`)
  }
  const script = sealScript(internalKey, seal.payload)
  if (confirmed.valueSats !== seal.valueSats || Buffer.compare(confirmed.script, script) !== 0) {
    throw new AnchorStall('seal_mismatch', `${name}: another value or another key than expected`)
  }
  if (unclaimed !== null) return
  for (const txid of ours) {
    if ((await node.mempoolEntry(txid)) !== null) return
  }
  throw new AnchorStall('seal_contested', `${name} is being spent by a transaction unknown here`)
}
