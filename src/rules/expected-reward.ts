import { splitCharge } from './fees.ts'
import { chargeMsat } from './price.ts'
import { subsidyWeight } from './subsidy-weight.ts'

const WHOLE_BASIS_POINTS = 10_000n

/** The work behind a receipt, as far as its expected reward needs it. */
export interface JobWork {
  readonly subnet: string
  /** Null for a request. */
  readonly item: bigint | null
  readonly epoch: bigint
  readonly units: bigint
}

/** As much of a definition as is asked here. */
interface Offer {
  readonly name: string
  readonly weight: number
  readonly privacy: 'public' | 'private'
  readonly operatorBasisPoints: number
  readonly dataset: { readonly perEpoch: number } | null
  readonly models: readonly { readonly unitsPerItem: number }[]
}

/**
 * What a receipt may earn, as far as the log says when it is submitted: of the subnet's part of the budget of its job's
 * epoch, its share in the whole of the work that this epoch offers; of what is not of the open dataset, the fee that a
 * request of its size brings. The audit rate follows it, and settlement, in whichever epoch, never pays more
 * (settle-epoch.ts).
 */
export function openExpectedReward(
  market: { subnetsAt(epoch: number): readonly Offer[] },
  budgets: { booked(epoch: number): bigint },
  prices: { at(subnet: string, epoch: number): bigint },
  auditShareBasisPoints: number,
): (work: JobWork) => bigint {
  const computeShare = WHOLE_BASIS_POINTS - BigInt(auditShareBasisPoints)
  return ({ subnet: name, item, epoch: epochNumber, units }) => {
    const epoch = Number(epochNumber)
    const subnets = market.subnetsAt(epoch)
    const subnet = subnets.find((one) => one.name === name)
    if (subnet === undefined) return 0n
    if (item === null)
      return splitCharge(chargeMsat(units, prices.at(name, epoch)), subnet.operatorBasisPoints).msat
    if (subnet.dataset === null) return 0n
    const totalWeight = subnets.reduce((sum, one) => sum + subsidyWeight(one), 0n)
    const unitsOfAll = subnet.models.reduce((sum, { unitsPerItem }) => sum + BigInt(unitsPerItem), 0n)
    const epochUnits = BigInt(subnet.dataset.perEpoch) * unitsOfAll
    const poolMsat =
      (budgets.booked(epoch) * computeShare * subsidyWeight(subnet)) / (WHOLE_BASIS_POINTS * totalWeight)
    return (poolMsat * units) / epochUnits
  }
}
