import assert from 'node:assert/strict'
import type { Ratio } from './sampling.ts'

/** Score of verified receipts, Σ ⌊reward · share⌋ in msat, exact. Never negative: a penalty is no pay, not minus pay. */
export function scoreOf(receipts: readonly { rewardMsat: bigint; share: Ratio }[]): bigint {
  let score = 0n
  for (const { rewardMsat, share } of receipts) {
    assert(rewardMsat >= 0n, 'a reward is never negative')
    assert(share.numerator >= 0n && share.numerator <= share.denominator, 'a share is from 0 to 1')
    score += (rewardMsat * share.numerator) / share.denominator
  }
  return score
}
