import type { Budgets } from './budgets.ts'
import type { Market } from './market.ts'
import type { JobWork } from './submissions.ts'

const WHOLE_BASIS_POINTS = 10_000n

/**
 * What a receipt may earn, as far as the log says when it is submitted: the subnet's part of the epoch's budget for the
 * whole of the work that the epoch offers. The audit rate follows it; pay is decided at settlement.
 */
export function openExpectedReward(
  market: Pick<Market, 'subnetsAt'>,
  budgets: Pick<Budgets, 'booked'>,
  auditShareBasisPoints: number,
): (work: JobWork) => bigint {
  const computeShare = WHOLE_BASIS_POINTS - BigInt(auditShareBasisPoints)
  return ({ subnet: name, item, epoch: epochNumber, units }) => {
    if (item === null) return 0n
    const epoch = Number(epochNumber)
    const subnets = market.subnetsAt(epoch)
    const subnet = subnets.find((one) => one.name === name)
    if (subnet === undefined || subnet.dataset === null) return 0n
    const totalWeight = subnets.reduce((sum, { weight }) => sum + BigInt(weight), 0n)
    const unitsOfAll = subnet.models.reduce((sum, { unitsPerItem }) => sum + BigInt(unitsPerItem), 0n)
    const epochUnits = BigInt(subnet.dataset.perEpoch) * unitsOfAll
    const poolMsat =
      (budgets.booked(epoch) * computeShare * BigInt(subnet.weight)) / (WHOLE_BASIS_POINTS * totalWeight)
    return (poolMsat * units) / epochUnits
  }
}
