import assert from 'node:assert/strict'

/** The calendar of a log in block heights, fixed in its genesis. No clock but Bitcoin's decides money. */
export interface EpochRules {
  /** First block of epoch 0. */
  startHeight: number
  epochBlocks: number
  /** V: blocks after an epoch's last within which its verdicts must be anchored. */
  verdictBlocks: number
  /** Confirmations after which a block counts as final. */
  finalDepth: number
  /** Blocks from an anchor to the block whose hash draws its sample. */
  beaconDelay: number
  /** Blocks from settlement until rewards can be paid: the worker's stake. */
  maturityBlocks: number
}

/** The epoch that a block belongs to, or null before the first one. */
export function epochOf(height: number, rules: EpochRules): number | null {
  assertCount(height)
  if (height < rules.startHeight) return null
  return Math.floor((height - rules.startHeight) / rules.epochBlocks)
}

export function firstHeight(epoch: number, rules: EpochRules): number {
  assertCount(epoch)
  return rules.startHeight + epoch * rules.epochBlocks
}

export function lastHeight(epoch: number, rules: EpochRules): number {
  return firstHeight(epoch, rules) + rules.epochBlocks - 1
}

/** The last block that may anchor a verdict on the epoch's work. */
export function verdictCutoffHeight(epoch: number, rules: EpochRules): number {
  return lastHeight(epoch, rules) + rules.verdictBlocks
}

/** The block at which everything that counts for the epoch is final, so that everybody settles it alike. */
export function settlementHeight(epoch: number, rules: EpochRules): number {
  return verdictCutoffHeight(epoch, rules) + rules.finalDepth
}

/** The block from which the epoch's unforfeited rewards are the worker's for good. */
export function maturityHeight(epoch: number, rules: EpochRules): number {
  return settlementHeight(epoch, rules) + rules.maturityBlocks
}

/** The block from which rewards that came unmatured from an older log can be paid: they wait as long here as any. */
export function inheritedMaturityHeight({ startHeight, maturityBlocks }: EpochRules): number {
  return startHeight + maturityBlocks
}

/** The block whose hash is the beacon for the work that an anchor mined at `anchorHeight` first committed. */
export function beaconHeight(anchorHeight: number, rules: EpochRules): number {
  assertCount(anchorHeight)
  return anchorHeight + rules.beaconDelay
}

function assertCount(value: number): void {
  assert(Number.isSafeInteger(value) && value >= 0, `expected a count, received ${value}`)
}
