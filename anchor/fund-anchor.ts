import { AnchorStall } from './anchor-stall.ts'
import { anchorVsize, type Method, type TopUp } from './anchor-transaction.ts'
import { P2TR_DUST_SATS } from './dust.ts'
import { type AnchorPriceQuestion, priceAnchor } from './price-anchor.ts'
import { runwayBlocks } from './runway.ts'

interface FundsQuestion extends Omit<AnchorPriceQuestion, 'vsize'> {
  method: Method
  /** What the seal holds that is to be spent. */
  sealSats: bigint
}

/** How an attempt is paid for. */
interface AnchorFunds {
  topUp: TopUp | null
  feeSats: bigint
  /** Of the next seal: never dust. */
  outputSats: bigint
  vsize: number
}

/**
 * Fee and next seal of an attempt. The seal pays alone while it can, and while its runway is as long as the policy
 * wants it; `findTopUp` is asked only then. Throws AnchorStall.
 */
export async function fundAnchor(
  question: FundsQuestion,
  findTopUp: () => Promise<TopUp | null>,
): Promise<AnchorFunds> {
  const { sealSats, policy } = question
  const bare = fundsWith(question, null)
  if (bare instanceof AnchorStall) throw bare
  const isEnough = bare.outputSats >= P2TR_DUST_SATS
  if (isEnough && !isRunwayShort(question, bare.feeSats)) return bare

  const topUp = await findTopUp()
  const refilled = topUp === null ? null : fundsWith(question, topUp)
  // A refill worth less than what its own input costs is none.
  const isRefilled = refilled !== null && !(refilled instanceof AnchorStall)
  if (isRefilled && refilled.outputSats >= P2TR_DUST_SATS && refilled.outputSats > bare.outputSats) {
    return refilled
  }
  if (isEnough) return bare
  if (refilled instanceof AnchorStall) throw refilled
  const detail = `${sealSats} sat are left, the fee is ${bare.feeSats} sat: send coins to the anchor address, and see ${policy.finalDepth} blocks on them`
  throw new AnchorStall('seal_too_small', detail, bare.feeSats)
}

function fundsWith(question: FundsQuestion, topUp: TopUp | null): AnchorFunds | AnchorStall {
  const { method, sealSats } = question
  const vsize = anchorVsize(method, topUp !== null)
  const feeSats = priceAnchor({ ...question, vsize })
  if (feeSats instanceof AnchorStall) return feeSats
  return { topUp, feeSats, outputSats: sealSats + (topUp?.valueSats ?? 0n) - feeSats, vsize }
}

function isRunwayShort({ policy, sealSats }: FundsQuestion, feeSats: bigint): boolean {
  const runway = runwayBlocks(sealSats, feeSats, policy.everyBlocks)
  return policy.topUpBelowBlocks !== undefined && runway !== null && runway < policy.topUpBelowBlocks
}
