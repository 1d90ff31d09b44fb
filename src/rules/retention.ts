import { type EpochRules, maturityHeight } from './epoch.ts'

/** A day after the money is the worker's: whoever wants to run the work again has had maturity and this. */
const RETENTION_BLOCKS = 144

/** From this block on nobody has to hold inputs and outputs of the epoch's work, but for what a fail was said on. */
export function retentionHeight(epoch: number, rules: EpochRules): number {
  return maturityHeight(epoch, rules) + RETENTION_BLOCKS
}

/** The newest epoch that is past its retention at the tip; null before the first one is. */
export function newestReleased(tip: number, rules: EpochRules): number | null {
  const since = tip - retentionHeight(0, rules)
  return since < 0 ? null : Math.floor(since / rules.epochBlocks)
}
