import assert from 'node:assert/strict'

/** A halving schedule after Bitcoin's (Bitcoin Core, GetBlockSubsidy), with a hard cap of its own. */
export interface SubsidyRules {
  initialMsat: bigint
  halvingEpochs: number
  capMsat: bigint
}

/** The subsidy of one epoch. Summed over any range of epochs it never exceeds `capMsat`. */
export function subsidyMsat(epoch: number, rules: SubsidyRules): bigint {
  assert(Number.isSafeInteger(epoch) && epoch >= 0, 'an epoch is a count')
  assert(
    Number.isSafeInteger(rules.halvingEpochs) && rules.halvingEpochs > 0,
    'halvings lie at least one epoch apart',
  )
  assert(rules.initialMsat >= 0n && rules.capMsat >= 0n, 'money is never negative')

  const scheduledMsat = rules.initialMsat >> BigInt(Math.floor(epoch / rules.halvingEpochs))
  if (scheduledMsat === 0n) return 0n
  const leftMsat = rules.capMsat - scheduledBeforeMsat(epoch, rules)
  if (leftMsat <= 0n) return 0n
  return scheduledMsat < leftMsat ? scheduledMsat : leftMsat
}

/**
 * What the uncapped schedule grants to all epochs before this one: the integer sum itself, not its integral, which
 * a sum of rounded parts can exceed. One step per halving, and the caller stops when shifting has left nothing.
 */
function scheduledBeforeMsat(epoch: number, rules: SubsidyRules): bigint {
  const halvingEpochs = BigInt(rules.halvingEpochs)
  let left = BigInt(epoch)
  let sumMsat = 0n
  for (let grantMsat = rules.initialMsat; left > 0n; grantMsat >>= 1n) {
    const epochs = left < halvingEpochs ? left : halvingEpochs
    sumMsat += epochs * grantMsat
    left -= epochs
  }
  return sumMsat
}
