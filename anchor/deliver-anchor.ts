import type { SignedAttempt } from './anchor-attempt.ts'
import { AnchorStall } from './anchor-stall.ts'
import type { AnchorStore } from './anchor-store.ts'
import type { Node } from './node.ts'

/**
 * Sees to it that the node has the attempt in its mempool, by sending the bytes that are kept. Returns what the node
 * says against it, or null. Throws AnchorStall when that can't be known now.
 */
export async function deliverAnchor(
  node: Node,
  store: AnchorStore,
  attempt: SignedAttempt,
): Promise<string | null> {
  const { id, state, signed } = attempt
  if (state === 'broadcast' && (await node.mempoolEntry(signed.txid)) !== null) return null
  const outcome = await node.send(signed.raw)
  switch (outcome.kind) {
    case 'accepted':
    case 'known':
      store.markBroadcast(id)
      return null
    case 'refused':
      store.markRefused(id)
      return outcome.detail
    case 'spent':
      if (!(await hasLostTopUp(node, attempt))) throw new AnchorStall('input_spent', outcome.detail)
      store.markRefused(id)
      return `${outcome.detail}: the coin that was to refill the seal is gone`
    case 'unknown':
      throw new AnchorStall('send_unknown', outcome.detail)
  }
}

/** Its owner may spend a top-up elsewhere at any time; unlike the seal, another one can take its place. */
async function hasLostTopUp(node: Node, { topUp }: SignedAttempt): Promise<boolean> {
  return topUp !== null && (await node.txOut(topUp, { mempool: false })) === null
}
