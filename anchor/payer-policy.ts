import type { FeeLimits } from './fee.ts'

export interface PayerPolicy extends FeeLimits {
  /** Confirmations from which a payout is never judged again. */
  finalDepth: number
  /** For the node's fee estimate; a payout that has waited so long since its last attempt is bumped. */
  targetBlocks: number
  /** Most that the fees of a payout may be of what it pays, in 1/10,000. */
  feeShareBasisPoints: number
}

const BASIS_POINTS = 10_000n

/** The policy's, for the fees of one payout. */
export function payoutLimits(policy: PayerPolicy, totalSats: bigint): FeeLimits {
  const { floorSatPerKvb, ceilingSatPerKvb } = policy
  return { floorSatPerKvb, ceilingSatPerKvb, capSats: feeCapSats(policy, totalSats) }
}

/** Most that all transactions of one payout may cost. */
export function feeCapSats(
  { capSats, feeShareBasisPoints }: Pick<PayerPolicy, 'capSats' | 'feeShareBasisPoints'>,
  totalSats: bigint,
): bigint {
  const shareSats = (totalSats * BigInt(feeShareBasisPoints)) / BASIS_POINTS
  return shareSats < capSats ? shareSats : capSats
}
