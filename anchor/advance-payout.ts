import { findSpend, type Spend } from './adopt-spend.ts'
import { bumpPayout, raisePayout } from './bump-payout.ts'
import { findMined, findWaiting, type MinedAttempt } from './find-payout.ts'
import type { PayoutAttempt, PayoutRecord } from './payout-record.ts'
import { type PayoutSite, standing, troubleOf } from './payout-site.ts'

/** What bitcoind says of a transaction that pays too little for its mempool or for relay (validation.cpp). */
const PAYS_TOO_LITTLE = /min (relay )?fee not met|mempool full/

/**
 * One payout, judged at the present tip by all of its attempts, sent again where the node lost it, and bumped where it
 * waits too long. An unknown outcome leaves it as it is. Throws PayerError `spender_unread`; RpcError,
 * NodeError.
 */
export async function advancePayout(site: PayoutSite, payout: PayoutRecord): Promise<void> {
  const { node } = site
  const { height: tipHeight } = await node.chain()
  const payments = signed(payout, null)
  const mined = await findMined(site, payout, payments)
  if (mined !== null) return confirm(site, payout, mined, tipHeight)
  const spend = await findSpend(site, payout, { coins: payout.inputs, parent: null }, { mempool: false })
  const adopted = adopt(site, payout, spend)
  // Its child may be mined as well, and has to be known in the same round.
  if (adopted !== null) return advancePayout(site, adopted)
  const waiting = await findWaiting(node, payments)
  const newest = payments[0]
  const foreign = spend?.kind === 'foreign' ? spend.reason : null
  if (newest === undefined) {
    site.store.markTrouble(payout.id, foreign ?? 'waits for its signature: see `assay payout export`')
    return
  }
  if (waiting === newest || !site.maySend()) {
    await wait(site, payout, waiting, tipHeight)
    if (waiting === null && foreign !== null) site.store.markTrouble(payout.id, foreign)
    return
  }
  const outcome = await node.send(newest.raw)
  if (outcome.kind === 'accepted') return wait(site, payout, newest, tipHeight)
  if (waiting !== null) return wait(site, payout, waiting, tipHeight)
  if (payout.state === 'confirmed') site.store.mark(payout.id, 'broadcast', standing(newest, null))
  site.store.markTrouble(payout.id, troubleOf(outcome) + (foreign === null ? '' : `; ${foreign}`))
  // Not relayed at this price, so no mempool need be paid for what a better one evicts.
  if (outcome.kind === 'refused' && PAYS_TOO_LITTLE.test(outcome.detail)) {
    await raisePayout(site, payout, newest, tipHeight)
  }
}

/**
 * Keeps the attempt that has spent a coin unknown to this database, or known only as what waits for its signature.
 * @returns the payout with it; null: there is none.
 */
function adopt({ store }: PayoutSite, payout: PayoutRecord, spend: Spend | null): PayoutRecord | null {
  if (spend?.kind !== 'ours') return null
  const { txid, raw, sinceHeight } = spend.attempt
  const known = payout.attempts.find((one) => one.txid === txid)
  if (known === undefined) store.keepAttempt(payout.id, spend.attempt)
  // The signature is no part of the txid (BIP-141): whoever signed it elsewhere has sent it as well.
  else if (known.raw === null && raw !== null) store.keepSigned(known.number, raw, sinceHeight)
  else return null
  return store.get(payout.id)
}

type SignedAttempt = PayoutAttempt & { raw: Uint8Array }

/** Newest first: the payments, or the children of one. */
function signed({ attempts }: PayoutRecord, parent: number | null): SignedAttempt[] {
  return attempts
    .filter((one): one is SignedAttempt => one.parent === parent && one.raw !== null)
    .toReversed()
}

/** In the mempool, or nowhere. */
async function wait(
  site: PayoutSite,
  payout: PayoutRecord,
  payment: PayoutAttempt | null,
  tipHeight: number,
): Promise<void> {
  const { store } = site
  if (payment === null) {
    const known = payout.payment
    if (payout.state === 'confirmed' && known !== null)
      store.mark(payout.id, 'broadcast', standing(known, null))
    return
  }
  const child = await findChild(site, payout, payment)
  store.mark(payout.id, 'broadcast', standing(payment, child))
  const isNew = payout.state === 'prepared'
  if (site.maySend() && !isNew) await bumpPayout(site, payout, { payment, child, tipHeight })
}

/** In a block. Settled when all that was sent for it is deep enough. */
async function confirm(
  site: PayoutSite,
  payout: PayoutRecord,
  { attempt: payment, block }: MinedAttempt,
  tipHeight: number,
): Promise<void> {
  const { store, policy } = site
  store.markSeen(payment.number, block)
  const isFinal = (height: number) => tipHeight - height + 1 >= policy.finalDepth
  const child = await findMined(site, payout, signed(payout, payment.number))
  if (child !== null) {
    store.markSeen(child.attempt.number, child.block)
    const isSettled = isFinal(block.height) && isFinal(child.block.height)
    return store.mark(payout.id, isSettled ? 'settled' : 'confirmed', standing(payment, child.attempt))
  }
  const change = { txid: payment.txid, vout: payout.outputs.length }
  // The change of what is mined goes into later payouts, too: then it is theirs. A child that still waits keeps this one open.
  const spend = store.isPinned(change)
    ? null
    : await findSpend(site, payout, { coins: [change], parent: payment }, { mempool: true })
  if (adopt(site, payout, spend) !== null) return store.mark(payout.id, 'confirmed', standing(payment, null))
  const foreign = spend?.kind === 'foreign' ? spend : null
  // Only in a final block: what conflicts with our child in this mempool, or may leave the chain, keeps no other miner from it.
  const isChildLost = foreign !== null && foreign.height !== null && isFinal(foreign.height)
  const waiting = isChildLost ? null : await findChild(site, payout, payment)
  const isSettled = isFinal(block.height) && waiting === null
  store.mark(payout.id, isSettled ? 'settled' : 'confirmed', standing(payment, waiting))
  if (waiting === null) return
  if (foreign !== null) return store.markTrouble(payout.id, foreign.reason)
  if (site.maySend()) {
    await bumpPayout(site, payout, { payment: null, child: waiting, tipHeight })
  }
}

/** Our child of that payment, if the node holds one; the one that it held and has lost is sent again. */
async function findChild(
  { node, maySend }: PayoutSite,
  payout: PayoutRecord,
  payment: PayoutAttempt,
): Promise<PayoutAttempt | null> {
  const waiting = await findWaiting(node, signed(payout, payment.number))
  if (waiting !== null) return waiting
  const { child } = payout
  if (child === null || child.raw === null || child.parent !== payment.number) return null
  // It was taken once: somebody may still hold it, so it stays until it is mined.
  if (maySend()) await node.send(child.raw)
  return child
}
