import type { Ratio } from '../rules/sampling.ts'
import type { Setting } from './setting.ts'
import { isSafe, livesUnder } from './weigh-strategies.ts'

/** 1, 2, 5 and so on: a finer answer would be finer than the simulation. */
const DENOMINATORS = [10_000n, 5_000n, 2_000n, 1_000n, 500n, 200n, 100n, 50n, 20n, 10n, 5n, 2n, 1n]

/**
 * The lowest floor of 1/10000, 1/5000, 1/2000, … 1 at which every cheat loses, or null where one wins even at 1.
 * `onProgress` counts lives, and those that needn't be played as soon as that is known.
 */
export function lowestFloor(
  setting: Omit<Setting, 'floor'>,
  onProgress: (done: number, of: number) => void = () => {},
): Ratio | null {
  const floors = DENOMINATORS.map((denominator) => ({ ...setting, floor: { numerator: 1n, denominator } }))
  const of = floors.reduce((sum, floor) => sum + livesUnder(floor), 0)
  let tried = 0
  const found = floors.find((floor) => {
    const safe = isSafe(floor, (done) => onProgress(tried + done, of))
    tried += livesUnder(floor)
    return safe
  })
  onProgress(of, of)
  return found?.floor ?? null
}
