import { AnchorStall } from './anchor-stall.ts'
import { anchorFee, type FeeLimits, type FeeMarket } from './fee.ts'

/** A day of blocks at ten minutes each: the daily budget needs no clock. */
export const BLOCKS_PER_DAY = 144

export interface AnchorPolicy extends FeeLimits {
  /** Blocks from one anchor to the next. */
  everyBlocks: number
  /** Confirmations from which an anchor is never judged again. */
  finalDepth: number
  /** For the node's fee estimate. */
  targetBlocks: number
  /** Fees of all anchors within 144 blocks. */
  dayCapSats: bigint
  /** Age of the last anchor from which a log that hasn't grown is anchored again; never without. */
  heartbeatBlocks?: number
  /** Runway below which a top-up is taken; without, only when the seal can't pay the fee. */
  topUpBelowBlocks?: number
}

export interface AnchorPriceQuestion {
  market: FeeMarket
  policy: AnchorPolicy
  vsize: number
  /** Fees of the last 144 blocks and of what waits to be mined, but for what this one replaces. */
  spentSats: bigint
  replaces: { feeSats: bigint; vsize: number } | null
}

/** The fee of the next attempt, or the limit of the policy that is in the way. */
export function priceAnchor(question: AnchorPriceQuestion): bigint | AnchorStall {
  const { market, policy, vsize, spentSats, replaces } = question
  const { floorSatPerKvb, ceilingSatPerKvb, dayCapSats } = policy
  const leftSats = dayCapSats > spentSats ? dayCapSats - spentSats : 0n
  const isDayTight = leftSats < policy.capSats
  const capSats = isDayTight ? leftSats : policy.capSats
  const limits = { floorSatPerKvb, ceilingSatPerKvb, capSats }
  const answer = anchorFee({ ...market, ...limits, vsize, ...(replaces === null ? {} : { replaces }) })
  if (answer.kind === 'fee') return answer.feeSats
  const code = answer.reason === 'cap_reached' && isDayTight ? 'day_cap_reached' : answer.reason
  return new AnchorStall(code, `the next anchor needs a fee of ${answer.neededSats} sat`, answer.neededSats)
}
