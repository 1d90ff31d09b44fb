import type { SignedAttempt } from './anchor-attempt.ts'
import { AnchorStall } from './anchor-stall.ts'
import type { AnchorStore } from './anchor-store.ts'
import { findHeight, type Inclusion, readInclusion } from './inclusion.ts'
import type { ChainTip, Node } from './node.ts'
import { NodeError } from './node-error.ts'

/** A tip that moves during each of so many judgements will move again: the next tip calls anyway. */
const MAX_JUDGEMENTS = 4

/**
 * Judges every attempt that isn't final against the best chain, and keeps the answer. Whatever was judged belongs
 * to one tip, which is returned. Throws AnchorStall, RpcError, NodeError.
 */
export async function judgeAnchors(node: Node, store: AnchorStore, finalDepth: number): Promise<ChainTip> {
  for (let judgement = 0; judgement < MAX_JUDGEMENTS; judgement++) {
    const tip = await node.chain()
    if (tip.initialBlockDownload) throw new AnchorStall('node_syncing', 'the node is still catching up')
    await checkFinal(node, store.lastFinal())
    const inChain = await locateAttempts(node, store.unsettled(), tip)
    if (inChain === null || (await node.chain()).hash !== tip.hash) continue
    store.apply({ tipHeight: tip.height, inChain, finalDepth })
    return tip
  }
  throw new AnchorStall('tip_moving', `the tip moved during ${MAX_JUDGEMENTS} judgements`)
}

async function checkFinal(node: Node, final: SignedAttempt | null): Promise<void> {
  if (final?.block == null) return
  const { height, blockHash } = final.block
  const present = await node.blockHash(height)
  if (present === blockHash) return
  throw present === null
    ? new AnchorStall('node_behind', `the node has no block ${height}, where anchor ${final.index} is final`)
    : new AnchorStall('deep_reorg', `block ${height} of final anchor ${final.index} left the best chain`)
}

/** The block of each attempt that is in the chain, by id; null when the chain moved meanwhile. */
async function locateAttempts(
  node: Node,
  childrenFirst: readonly SignedAttempt[],
  tip: ChainTip,
): Promise<Map<number, Inclusion> | null> {
  const inChain = new Map<number, Inclusion>()
  /** Height of the mined child: its parent is mined too, there or below. */
  const childHeights = new Map<number | null, number>()
  for (const attempt of childrenFirst) {
    const { id, index, parent, block, signed } = attempt
    let inclusion = block
    if (block === null || (await node.blockHash(block.height)) !== block.blockHash) {
      const childHeight = childHeights.get(id) ?? null
      const height = await heightOf(node, signed.txid, childHeight, tip).catch(
        unlessPruned(index, childHeight),
      )
      if (height === null) {
        if (childHeights.has(id)) return null
        continue
      }
      inclusion = await readInclusion(node, signed.raw, height).catch(unlessPruned(index, height))
    }
    if (inclusion === null) return null
    inChain.set(id, inclusion)
    childHeights.set(parent, inclusion.height)
  }
  return inChain
}

/** Mined while nobody looked, and longer ago than the node remembers. */
function unlessPruned(index: number, height: number | null): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof NodeError) || error.code !== 'block_pruned') throw error
    throw new AnchorStall('block_pruned', `anchor ${index} is in block ${height} or below, which is pruned`)
  }
}

/**
 * Without txindex: the last mined attempt's seal is unspent, and gettxout tells how deep it lies; one with a mined
 * child is searched for below that child, a few blocks as a rule.
 */
async function heightOf(
  node: Node,
  txid: string,
  childHeight: number | null,
  tip: ChainTip,
): Promise<number | null> {
  if (childHeight !== null) return findHeight(node, txid, childHeight)
  const output = await node.txOut({ txid, vout: 0 }, { mempool: false })
  return output === null ? null : tip.height - output.confirmations + 1
}
