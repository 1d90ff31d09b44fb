import type { SubnetDefinition } from '../subnet/definition.ts'

const WHOLE_BASIS_POINTS = 10_000n

/**
 * What a receipt of the open dataset may earn, as far as the log says when it is submitted: its part of the subnet's part
 * of the budget, over all the work that the epoch offers. The audit rate follows it (DESIGN §7).
 */
export function expectedRewardMsat(
  { subnet: name, units }: { subnet: string; units: bigint },
  epoch: { budgetMsat: bigint; auditBasisPoints: number; subnets: readonly SubnetDefinition[] },
): bigint {
  const subnet = epoch.subnets.find((one) => one.name === name)
  if (subnet === undefined || subnet.dataset === null) return 0n
  const computeShare = WHOLE_BASIS_POINTS - BigInt(epoch.auditBasisPoints)
  const weightOfAll = epoch.subnets.reduce((sum, { weight }) => sum + BigInt(weight), 0n)
  const unitsOfAll = subnet.models.reduce((sum, { unitsPerItem }) => sum + BigInt(unitsPerItem), 0n)
  const poolMsat =
    (epoch.budgetMsat * computeShare * BigInt(subnet.weight)) / (WHOLE_BASIS_POINTS * weightOfAll)
  return (poolMsat * units) / (BigInt(subnet.dataset.perEpoch) * unitsOfAll)
}
