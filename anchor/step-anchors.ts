import assert from 'node:assert/strict'
import { isSigned, type SignedAttempt } from './anchor-attempt.ts'
import { AnchorStall } from './anchor-stall.ts'
import { type AnchorWorks, feesOfDay, sealAfter } from './anchor-works.ts'
import { attemptAnchor } from './attempt-anchor.ts'
import { checkSeal } from './check-seal.ts'
import { deliverAnchor } from './deliver-anchor.ts'
import type { ChainTip } from './node.ts'
import { signAnchor } from './sign-anchor.ts'

/**
 * The next step after a judgement at `tip`: sends again what the node lost, then replaces the last anchor if it
 * missed its block, or begins the next one if it is due. Throws AnchorStall, RpcError, NodeError.
 */
export async function stepAnchors(works: AnchorWorks, tip: ChainTip): Promise<void> {
  const { store } = works
  const last = store.lastInChain()
  await checkSeal(works, last, tip)
  const { pending, refusal } = await deliverPending(works, last)
  const current = pending.at(-1)
  if (current === undefined) {
    if (isDue(works, last, tip)) await attemptAnchor(works, last, tip, feesOfDay(store, tip))
  } else if (tip.height > current.sinceHeight) {
    await replace(works, pending, current, tip)
  } else if (refusal !== null) {
    throw new AnchorStall('refused', refusal)
  }
}

/** Signs what was left planned and sends what the node lost, in order, up to the first that it refuses. */
async function deliverPending(
  works: AnchorWorks,
  last: SignedAttempt | null,
): Promise<{ pending: SignedAttempt[]; refusal: string | null }> {
  const { node, store, signer } = works
  const pending: SignedAttempt[] = []
  let parent = last
  for (const attempt of store.standing(last?.id ?? null)) {
    const signed = signAnchor(store, signer, sealAfter(works, parent), attempt)
    pending.push(signed)
    const refusal = await deliverAnchor(node, store, signed)
    if (refusal !== null) return { pending, refusal }
    parent = signed
  }
  return { pending, refusal: null }
}

function isDue({ head, policy, store }: AnchorWorks, last: SignedAttempt | null, tip: ChainTip): boolean {
  const anchoredSize = last?.size ?? 0
  const { everyBlocks, heartbeatBlocks } = policy
  const hasGrown = head().size > anchoredSize
  if (last?.block == null) return hasGrown
  const ageBlocks = tip.height - last.block.height
  if (!hasGrown) return heartbeatBlocks !== undefined && ageBlocks >= heartbeatBlocks
  return ageBlocks >= everyBlocks || store.requestedSize() > anchoredSize
}

/** The newest checkpoint takes the place of an anchor that missed its block: only ever the last one's. */
async function replace(
  works: AnchorWorks,
  pending: readonly SignedAttempt[],
  current: SignedAttempt,
  tip: ChainTip,
): Promise<void> {
  const { store } = works
  const others = pending.filter(({ id }) => id !== current.id)
  const spentSats = others.reduce((sum, { feeSats }) => sum + feeSats, feesOfDay(store, tip))
  const parent = current.parent === null ? null : store.get(current.parent)
  assert(parent === null || isSigned(parent))
  await attemptAnchor(works, parent, tip, spentSats)
}
