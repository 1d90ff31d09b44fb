import { MSAT_PER_SAT } from './msat-per-sat.ts'

/**
 * What of the reserve an epoch may be promised, msat, never below 0: fees paid to miners, debts of an older log and lost coins
 * have used up some, and genesis keeps some for the fees to come. Those of the last payout are among the latter, whether it is paid
 * yet or not: when it was, the log doesn't say.
 */
export function freeReserveMsat({
  reserveMsat,
  feesMsat,
  inheritedMsat,
  lostMsat,
  feeReserveSats,
}: {
  reserveMsat: bigint
  /** Of all payouts in the log but the last. */
  feesMsat: bigint
  inheritedMsat: bigint
  lostMsat: bigint
  feeReserveSats: bigint
}): bigint {
  const freeMsat = reserveMsat - feesMsat - inheritedMsat - lostMsat - feeReserveSats * MSAT_PER_SAT
  return freeMsat > 0n ? freeMsat : 0n
}
