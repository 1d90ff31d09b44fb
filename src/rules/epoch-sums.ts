import type { Fee } from './fees.ts'
import { AUDIT, NO_MODEL } from './maturing.ts'
import type { EpochSettlement } from './settle-epoch.ts'

/** What an `epoch` entry says of the epoch's money, msat. */
interface EpochSums {
  readonly computeMsat: bigint
  readonly auditMsat: bigint
  readonly feesMsat: bigint
  readonly returnedMsat: bigint
}

/** @param lapsedMsat of the budget as booked, what was not in force */
export function epochSums(shares: EpochSettlement, fees: readonly Fee[], lapsedMsat: bigint): EpochSums {
  return {
    computeMsat: sum(shares.compute),
    auditMsat: sum(shares.audit),
    feesMsat: fees.reduce((total, { msat, shareMsat }) => total + msat + shareMsat, 0n),
    returnedMsat: shares.returnedMsat + lapsedMsat,
  }
}

/** Whom the budget goes to: who computed, by subnet and model, then who audited. Keys and digests in hex. */
export function earnedOf({
  compute,
  audit,
}: Pick<EpochSettlement, 'compute' | 'audit'>): EpochSettlement['compute'] {
  const audited = audit.map(({ auditor, msat }) => ({
    worker: auditor,
    subnet: AUDIT,
    model: NO_MODEL,
    msat,
  }))
  return [...compute, ...audited]
}

function sum(parts: readonly { readonly msat: bigint }[]): bigint {
  return parts.reduce((total, { msat }) => total + msat, 0n)
}
