import { anchorFee, type FeeLimits } from './fee.ts'
import { payoutLimits } from './payer-policy.ts'
import type { PayoutAttempt, PayoutRecord } from './payout-record.ts'
import { type PayoutSite, standing, troubleOf } from './payout-site.ts'
import { type Bump, priceBump } from './price-bump.ts'

interface Waiting {
  /** In the mempool; null when it is mined, and its child is not. */
  payment: PayoutAttempt | null
  child: PayoutAttempt | null
  tipHeight: number
}

/**
 * Pays more for what has waited `targetBlocks` since its last attempt: by the cheapest way that the limits allow and
 * the node takes. Each attempt is kept before it is sent; one that is there already is the same one again.
 */
export async function bumpPayout(site: PayoutSite, payout: PayoutRecord, waiting: Waiting): Promise<void> {
  const { node, store, policy, maker } = site
  const { payment, child, tipHeight } = waiting
  if (waitsForSigner(site, payout)) return
  const lastHeight = Math.max(...payout.attempts.map(({ sinceHeight }) => sinceHeight))
  if (tipHeight - lastHeight < policy.targetBlocks) return
  if (payment === null) return raiseChild(site, payout, waiting)
  const entry = await node.mempoolEntry(payment.txid)
  if (entry === null) return // mined or evicted since: the next tip judges that
  const { bumps, neededSats } = priceBump({
    market: await node.feeMarket(policy.targetBlocks),
    limits: limitsOf(site, payout, 0n),
    payment: { ...payment, descendantFeeSats: entry.descendantFeeSats },
    child,
    childVsize: maker.childVsize,
  })
  for (const bump of bumps) if (await attempt(site, payout, payment, bump, tipHeight)) return
  if (bumps.length === 0) {
    store.markTrouble(
      payout.id,
      `not mined yet; paying more needs a fee of ${neededSats} sat, above the limits`,
    )
  }
}

/** A payment that the node takes at no price so far: one more, at today's. */
export async function raisePayout(
  site: PayoutSite,
  payout: PayoutRecord,
  newest: PayoutAttempt,
  tipHeight: number,
): Promise<void> {
  if (waitsForSigner(site, payout)) return
  const market = await site.node.feeMarket(site.policy.targetBlocks)
  const answer = anchorFee({ ...market, ...limitsOf(site, payout, 0n), vsize: newest.vsize })
  if (answer.kind === 'stalled') {
    site.store.markTrouble(
      payout.id,
      `evicted; the node asks for a fee of ${answer.neededSats} sat, above the limits`,
    )
  } else if (answer.feeSats > newest.feeSats) {
    await attempt(site, payout, newest, { kind: 'replacement', feeSats: answer.feeSats }, tipHeight)
  }
}

/** The payment is mined; its child waits, or was evicted, and must not keep the payout open. */
async function raiseChild(
  site: PayoutSite,
  payout: PayoutRecord,
  { child, tipHeight }: Waiting,
): Promise<void> {
  if (child === null || payout.payment === null) return
  const entry = await site.node.mempoolEntry(child.txid)
  const answer = anchorFee({
    ...(await site.node.feeMarket(site.policy.targetBlocks)),
    ...limitsOf(site, payout, payout.payment.feeSats),
    vsize: child.vsize,
    replaces: { feeSats: entry?.descendantFeeSats ?? child.feeSats, vsize: child.vsize },
  })
  if (answer.kind === 'fee') {
    await attempt(site, payout, payout.payment, { kind: 'child', feeSats: answer.feeSats }, tipHeight)
  } else {
    site.store.markTrouble(
      payout.id,
      `paid; its child is not mined yet and needs a fee of ${answer.neededSats} sat, above the limits`,
    )
  }
}

/** One at a time is for the signer: what it has in hand would be another's by the time that it comes back. */
function waitsForSigner(
  { store }: PayoutSite,
  { id, attempts }: Pick<PayoutRecord, 'id' | 'attempts'>,
): boolean {
  const isWaiting = attempts.some(({ raw }) => raw === null)
  if (isWaiting) store.markTrouble(id, 'a higher fee waits for its signature: see `assay payout export`')
  return isWaiting
}

function limitsOf({ policy }: PayoutSite, { totalSats }: PayoutRecord, spentSats: bigint): FeeLimits {
  const limits = payoutLimits(policy, totalSats)
  return { ...limits, capSats: limits.capSats - spentSats }
}

/** @returns whether it is out, or waits for its signature. */
async function attempt(
  site: PayoutSite,
  payout: PayoutRecord,
  payment: PayoutAttempt,
  { kind, feeSats }: Bump,
  tipHeight: number,
): Promise<boolean> {
  const { node, store, maker, maySend } = site
  if (!maySend()) return true
  const parent = kind === 'child' ? payment : null
  const made = store.keepAttempt(payout.id, maker.make(payout, { parent, feeSats }, tipHeight))
  if (made.raw === null) return waitsForSigner(site, { id: payout.id, attempts: [made] })
  const outcome = await node.send(made.raw)
  if (outcome.kind !== 'accepted') {
    store.markTrouble(payout.id, troubleOf(outcome))
    return false
  }
  const now = parent === null ? standing(made, null) : standing(parent, made)
  store.mark(payout.id, payout.state === 'confirmed' ? 'confirmed' : 'broadcast', now)
  return true
}
