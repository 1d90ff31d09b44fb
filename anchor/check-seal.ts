import type { SignedAttempt } from './anchor-attempt.ts'
import { AnchorStall } from './anchor-stall.ts'
import type { Seal } from './anchor-transaction.ts'
import { type AnchorWorks, sealAfter, txidsOf } from './anchor-works.ts'
import { sealScript } from './commitment.ts'
import { findSpender } from './find-spender.ts'
import { identifyAnchor } from './identify-anchor.ts'
import type { ChainTip } from './node.ts'
import { readPayloads } from './payload-file.ts'

/**
 * Checks that the seal after `last` is there to be spent: in the chain, with its value, under our key, and claimed in
 * the mempool by nobody but us. An old copy of the database fails here before it signs. Throws AnchorStall.
 */
export async function checkSeal(
  works: AnchorWorks,
  last: SignedAttempt | null,
  tip: ChainTip,
): Promise<void> {
  const { node, store, signer } = works
  const seal = sealAfter(works, last)
  const broken = store.brokenBy()
  if (broken !== null) throw brokenSeal(seal, broken)
  const confirmed = await node.txOut(seal, { mempool: false })
  const unclaimed = await node.txOut(seal, { mempool: true })
  if (confirmed === null) {
    if (unclaimed !== null) throw new AnchorStall('seal_unconfirmed', `${nameOf(seal)} waits to be mined`)
    throw await missingSeal(works, seal, last, tip)
  }
  const script = sealScript(signer.internalKey, seal.payload)
  if (confirmed.valueSats !== seal.valueSats || Buffer.compare(confirmed.script, script) !== 0) {
    throw new AnchorStall('seal_mismatch', `${nameOf(seal)}: another value or another key than expected`)
  }
  if (unclaimed !== null) return
  for (const txid of txidsOf(store.siblings(last?.id ?? null))) {
    if ((await node.mempoolEntry(txid)) !== null) return
  }
  throw new AnchorStall('seal_contested', `${nameOf(seal)} is being spent by a transaction unknown here`)
}

/** Looks for who spent it. A foreign spend is kept once it is as deep as a final anchor: nothing brings the seal back. */
async function missingSeal(
  works: AnchorWorks,
  seal: Seal,
  last: SignedAttempt | null,
  tip: ChainTip,
): Promise<AnchorStall> {
  const { node, store, signer, policy } = works
  const spender = await findSpender(node, seal, tip.height, last?.block?.height ?? 0)
  if (spender === null)
    return new AnchorStall('seal_missing', `${nameOf(seal)} is not in the chain, or spent`)
  const { raw, txid, height } = spender
  const index = last === null ? 0 : last.index + 1
  const { method, internalKey } = signer
  if (identifyAnchor(raw, { method, internalKey, spends: seal, index }, readPayloads(signer.payloadFile))) {
    return new AnchorStall('database_old', `anchor ${index}, ${txid} in block ${height}, is unknown here`)
  }
  const finalHeight = height + policy.finalDepth - 1
  if (tip.height >= finalHeight) {
    store.breakSeal({ index, txid, height })
    return brokenSeal(seal, { txid, height })
  }
  const detail = `${nameOf(seal)} was spent by ${txid} in block ${height}, for good from block ${finalHeight} on`
  return new AnchorStall('seal_missing', detail)
}

function brokenSeal(seal: Seal, { txid, height }: { txid: string; height: number }): AnchorStall {
  return new AnchorStall(
    'seal_broken',
    `${nameOf(seal)} was spent by ${txid} in block ${height}: no anchor of this log`,
  )
}

function nameOf({ txid, vout }: Seal): string {
  return `seal ${txid}:${vout}`
}
