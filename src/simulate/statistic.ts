import { seededRandom } from '../../compute/work/seeded-random.ts'
import { NO_SUSPICION, observe, observePasses, type Standing, standingOf } from '../rules/cusum.ts'
import { evidenceOf } from '../rules/cusum-evidence.ts'
import { missesBeforeHit } from './misses-before-hit.ts'

/** An honest worker's long life. */
const HONEST_AUDITS = 100_000

/** What a cheat hands in until its first cheated reward matures, and what is audited of it. */
const WINDOW_RECEIPTS = 20_000
const FLOOR_RATE = 0.01
const CHEAT_SHARE = 0.1

/** Drawn evenly; a conviction takes fails from two of them. */
const AUDITORS = 4

export interface StatisticRow {
  case: string
  /** Lives that were played. */
  seeds: number
  convicted: number
  /** Never convicted, but held from maturing at some time. */
  held: number
  /** The share of convicted that the rule promises; null for cases that are shown only. */
  bar: { atMost: number } | { atLeast: number } | null
  ok: boolean | null
}

interface Case {
  name: string
  /** p0 as calibrated, and the rate at which this machine's honest work fails in truth. */
  calibratedPerMille: bigint
  falseFailRate: number
  /** Chance that the audit of cheated work fails it; null for honest workers. */
  detection: number | null
  bar: StatisticRow['bar']
}

const CASES: readonly Case[] = [
  {
    name: 'honest, fails 0.3 %',
    calibratedPerMille: 3n,
    falseFailRate: 0.003,
    detection: null,
    bar: { atMost: 0.001 },
  },
  {
    name: 'cheats in 10 %, d = 1',
    calibratedPerMille: 3n,
    falseFailRate: 0.003,
    detection: 1,
    bar: { atLeast: 0.99 },
  },
  {
    name: 'cheats in 10 %, d = 0.8',
    calibratedPerMille: 3n,
    falseFailRate: 0.003,
    detection: 0.8,
    bar: null,
  },
  {
    name: 'honest, fails 1 %',
    calibratedPerMille: 3n,
    falseFailRate: 0.01,
    detection: null,
    bar: null,
  },
  {
    name: 'honest, fails 1 %, calibrated to 1 %',
    calibratedPerMille: 10n,
    falseFailRate: 0.01,
    detection: null,
    bar: null,
  },
]

/**
 * How often the rule convicts honest workers and cheats: the product's own CUSUM over many seeds, each the same
 * everywhere. `onProgress` counts lives.
 */
export function simulateStatistic(
  seeds: number,
  onProgress: (done: number, of: number) => void = () => {},
): StatisticRow[] {
  return CASES.map((one, place) => {
    const ends: Record<Standing, number> = { good: 0, held: 0, suspended: 0 }
    for (let seed = 0; seed < seeds; seed++) {
      ends[play(one, seededRandom(`${one.name} ${seed}`))] += 1
      onProgress(place * seeds + seed + 1, CASES.length * seeds)
    }
    const { name, bar } = one
    return {
      case: name,
      seeds,
      convicted: ends.suspended,
      held: ends.held,
      bar,
      ok: meets(ends.suspended / seeds, bar),
    }
  })
}

function meets(share: number, bar: StatisticRow['bar']): boolean | null {
  if (bar === null) return null
  return 'atMost' in bar ? share <= bar.atMost : share >= bar.atLeast
}

/** The worst standing in one life. */
function play({ calibratedPerMille, falseFailRate, detection }: Case, random: () => number): Standing {
  const evidence = evidenceOf({ numerator: calibratedPerMille, denominator: 1_000n })
  const caught = detection === null ? 0 : CHEAT_SHARE * detection
  const failRate = caught + (1 - caught) * falseFailRate
  let suspicion = NO_SUSPICION
  let worst: Standing = 'good'
  for (let left = detection === null ? HONEST_AUDITS : auditsInWindow(random); ; left -= 1) {
    const passes = missesBeforeHit(failRate, random)
    if (passes >= left) return worst
    left -= passes
    const auditor = String(Math.floor(random() * AUDITORS))
    suspicion = observe(observePasses(suspicion, evidence, passes), { verdict: 'fail', auditor, evidence })
    const standing = standingOf(suspicion)
    if (standing === 'suspended') return standing
    if (standing === 'held') worst = standing
  }
}

function auditsInWindow(random: () => number): number {
  let audits = 0
  for (let left = WINDOW_RECEIPTS; ; left -= 1) {
    left -= missesBeforeHit(FLOOR_RATE, random)
    if (left <= 0) return audits
    audits += 1
  }
}
