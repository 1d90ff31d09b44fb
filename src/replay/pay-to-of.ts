import { type PayTo, payToAt } from '../rules/pay-to.ts'
import type { ReplayState } from './replay-state.ts'

/**
 * Where a payout planned at `height` sends what a key earned: as it declared here, else as it did in the log before. Null
 * where it never did.
 */
export function payToOf(
  { anchored, inherited, rules, workers }: ReplayState,
  key: string,
  height: number,
): PayTo | null {
  const declarations = workers.get(key)?.declarations ?? []
  const declared = payToAt(declarations, height, { anchored, finalDepth: rules.finalDepth })
  if (declared !== null) return declared
  const heir = inherited?.workers.find(({ worker }) => Buffer.from(worker).toString('hex') === key)
  return heir === undefined ? null : { entry: 0, address: heir.address, thresholdSats: 0n, change: null }
}
