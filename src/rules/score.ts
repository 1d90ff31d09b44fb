import assert from 'node:assert/strict'

/** What a subnet pays for. `throughput` counts every verified unit alike: f = 1. */
export type Objective = 'throughput'

/** Score of verified receipts, Σ reward · f(receipt) in msat, exact. Never negative: a penalty is no pay, not minus pay. */
export function scoreOf(receipts: { rewardMsat: bigint }[]): bigint {
  let score = 0n
  for (const { rewardMsat } of receipts) {
    assert(rewardMsat >= 0n, 'a reward is never negative')
    score += rewardMsat
  }
  return score
}
