import { type Attempt, isSigned, type SignedAttempt } from './anchor-attempt.ts'
import { AnchorStall } from './anchor-stall.ts'
import type { TopUp } from './anchor-transaction.ts'
import { type AnchorWorks, sealAfter } from './anchor-works.ts'
import { chooseTopUp } from './choose-top-up.ts'
import { encodePayload, sealScript } from './commitment.ts'
import { deliverAnchor } from './deliver-anchor.ts'
import { fundAnchor } from './fund-anchor.ts'
import type { ChainTip, Node } from './node.ts'
import { signAnchor } from './sign-anchor.ts'

/** What leaves the mempool when a replacement enters it. */
interface Evicted {
  /** Its own fee and those of everything that spends from it. */
  feeSats: bigint
  vsize: number
  topUp: TopUp | null
}

/**
 * Plans, signs and sends an anchor of the newest checkpoint on the seal that `parent` made. `spentSats`: fees of the
 * day without it. Throws AnchorStall, RpcError, NodeError.
 */
export async function attemptAnchor(
  works: AnchorWorks,
  parent: SignedAttempt | null,
  tip: ChainTip,
  spentSats: bigint,
): Promise<void> {
  const { node, store, signer, origin, policy, head } = works
  const seal = sealAfter(works, parent)
  const replaces = await findEvicted(node, store.siblings(parent?.id ?? null))
  const market = await node.feeMarket(policy.targetBlocks)
  const funds = await fundAnchor(
    { market, policy, spentSats, replaces, method: signer.method, sealSats: seal.valueSats },
    async () =>
      chooseTopUp(node, {
        listed: await works.topUps(),
        given: replaces?.topUp ?? null,
        script: sealScript(signer.internalKey, null),
        minConfirmations: policy.finalDepth,
        firstSeal: works.firstSeal,
      }),
  )
  const index = parent === null ? 0 : parent.index + 1
  const { size, root } = head()
  const payload = encodePayload({ index, origin, size, root })
  const plan = { parent: parent?.id ?? null, index, sinceHeight: tip.height, size, root, payload, ...funds }
  const signed = signAnchor(store, signer, seal, store.plan(plan))
  const refusal = await deliverAnchor(node, store, signed)
  if (refusal !== null) throw new AnchorStall('refused', refusal)
}

/** The one of those that compete for a seal which the mempool holds. */
async function findEvicted(node: Node, siblings: readonly Attempt[]): Promise<Evicted | null> {
  for (const { signed, topUp } of siblings.filter(isSigned)) {
    const entry = await node.mempoolEntry(signed.txid)
    if (entry !== null) return { feeSats: entry.descendantFeeSats, vsize: entry.vsize, topUp }
  }
  return null
}
