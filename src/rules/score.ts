import assert from 'node:assert/strict'

/** What a subnet pays for. `throughput` counts every verified unit alike: f = 1. */
export type Objective = 'throughput'

/** Score of verified receipts, Σ units · f(receipt), exact. Never negative: a penalty is no pay, not minus pay. */
export function scoreOf(receipts: { units: bigint }[]): bigint {
  let score = 0n
  for (const { units } of receipts) {
    assert(units >= 0n, 'units of work are never negative')
    score += units
  }
  return score
}
