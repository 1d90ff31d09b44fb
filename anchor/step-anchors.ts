import assert from 'node:assert/strict'
import { type Attempt, isSigned, type SignedAttempt, sealOf } from './anchor-attempt.ts'
import { AnchorStall } from './anchor-stall.ts'
import type { AnchorStore } from './anchor-store.ts'
import { anchorVsize, type Seal } from './anchor-transaction.ts'
import { checkSeal } from './check-seal.ts'
import { encodePayload } from './commitment.ts'
import { deliverAnchor } from './deliver-anchor.ts'
import { P2TR_DUST_SATS } from './dust.ts'
import type { ChainTip, Node } from './node.ts'
import { type AnchorPolicy, BLOCKS_PER_DAY, priceAnchor } from './price-anchor.ts'
import { type AnchorSigner, signAnchor } from './sign-anchor.ts'

/** All that anchors are made of. */
export interface AnchorWorks {
  node: Node
  store: AnchorStore
  signer: AnchorSigner
  /** The log's name. */
  origin: string
  firstSeal: Seal
  policy: AnchorPolicy
  /** The log's head: of committed entries alone. */
  head: () => { size: number; root: Uint8Array }
}

/**
 * The next step after a judgement at `tip`: sends again what the node lost, then replaces the last anchor if it
 * missed its block, or begins the next one if it is due. Throws AnchorStall, RpcError, NodeError.
 */
export async function stepAnchors(works: AnchorWorks, tip: ChainTip): Promise<void> {
  const { node, store, signer } = works
  const last = store.lastInChain()
  const ours = txidsOf(store.siblings(last?.id ?? null))
  await checkSeal(node, sealAfter(works, last), signer.internalKey, ours)
  const { pending, refusal } = await deliverPending(works, last)
  const current = pending.at(-1)
  if (current === undefined) {
    if (isDue(works, last, tip)) await attemptAnchor(works, last, tip, feesOfDay(store, tip), null)
  } else if (tip.height > current.sinceHeight) {
    await replace(works, pending, current, tip)
  } else if (refusal !== null) {
    throw new AnchorStall('refused', refusal)
  }
}

/** The seal for the next anchor to spend. */
export function sealAfter({ firstSeal }: AnchorWorks, last: SignedAttempt | null): Seal {
  return last === null ? firstSeal : sealOf(last)
}

export function feesOfDay(store: AnchorStore, tip: ChainTip): bigint {
  return store.feesAbove(tip.height - BLOCKS_PER_DAY)
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
  if (head().size <= anchoredSize) return false
  if (last?.block == null || store.requestedSize() > anchoredSize) return true
  return tip.height >= last.block.height + policy.everyBlocks
}

/** The newest checkpoint takes the place of an anchor that missed its block: only ever the last one's. */
async function replace(
  works: AnchorWorks,
  pending: readonly SignedAttempt[],
  current: SignedAttempt,
  tip: ChainTip,
): Promise<void> {
  const { node, store } = works
  const others = pending.filter(({ id }) => id !== current.id)
  const spentSats = others.reduce((sum, { feeSats }) => sum + feeSats, feesOfDay(store, tip))
  const parent = current.parent === null ? null : store.get(current.parent)
  assert(parent === null || isSigned(parent))
  const replaces = await findEvicted(node, store.siblings(current.parent))
  await attemptAnchor(works, parent, tip, spentSats, replaces)
}

/** The one of those that compete for a seal which the mempool holds. */
async function findEvicted(
  node: Node,
  siblings: readonly Attempt[],
): Promise<{ feeSats: bigint; vsize: number } | null> {
  for (const txid of txidsOf(siblings)) {
    const entry = await node.mempoolEntry(txid)
    if (entry !== null) return { feeSats: entry.descendantFeeSats, vsize: entry.vsize }
  }
  return null
}

async function attemptAnchor(
  works: AnchorWorks,
  parent: SignedAttempt | null,
  tip: ChainTip,
  spentSats: bigint,
  replaces: { feeSats: bigint; vsize: number } | null,
): Promise<void> {
  const { node, store, signer, origin, policy, head } = works
  const vsize = anchorVsize(signer.method, false)
  const market = await node.feeMarket(policy.targetBlocks)
  const feeSats = priceAnchor({ market, policy, vsize, spentSats, replaces })
  const seal = sealAfter(works, parent)
  const outputSats = seal.valueSats - feeSats
  if (outputSats < P2TR_DUST_SATS) {
    throw new AnchorStall(
      'seal_too_small',
      `${seal.valueSats} sat are left, the fee is ${feeSats} sat`,
      feeSats,
    )
  }
  const index = parent === null ? 0 : parent.index + 1
  const { size, root } = head()
  const payload = encodePayload({ index, origin, size, root })
  const id = parent?.id ?? null
  const plan = { parent: id, index, sinceHeight: tip.height, size, root, payload, feeSats, outputSats, vsize }
  const signed = signAnchor(store, signer, seal, store.plan(plan))
  const refusal = await deliverAnchor(node, store, signed)
  if (refusal !== null) throw new AnchorStall('refused', refusal)
}

function txidsOf(attempts: readonly Attempt[]): string[] {
  return attempts.filter(isSigned).map(({ signed }) => signed.txid)
}
