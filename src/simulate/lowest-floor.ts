import type { Ratio } from '../rules/sampling.ts'
import type { Setting } from './setting.ts'
import { isSafe } from './weigh-strategies.ts'

/** 1, 2, 5 and so on: a finer answer would be finer than the simulation. */
const DENOMINATORS = [10_000n, 5_000n, 2_000n, 1_000n, 500n, 200n, 100n, 50n, 20n, 10n, 5n, 2n, 1n]

/** The lowest floor of 1/1000, 1/500, 1/200, … 1 at which every cheat loses, or null where one wins even at 1. */
export function lowestFloor(setting: Omit<Setting, 'floor'>): Ratio | null {
  for (const denominator of DENOMINATORS) {
    const floor = { numerator: 1n, denominator }
    if (isSafe({ ...setting, floor })) return floor
  }
  return null
}
