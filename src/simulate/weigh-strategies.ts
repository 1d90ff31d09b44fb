import { type AuditDraws, drawAudits } from './audit-draws.ts'
import { playStrategy } from './play.ts'
import { EPOCHS, RECEIPTS_PER_EPOCH, REWARD_MSAT, type Setting } from './setting.ts'
import { STRATEGIES, type Strategy } from './strategies.ts'

const HONEST_REWARDS_MSAT = EPOCHS * RECEIPTS_PER_EPOCH * Number(REWARD_MSAT)

export interface StrategyRow {
  strategy: string
  what: string
  /** Mean over the runs. */
  profitMsat: number
  /** Profit less honesty's, as a share of an honest worker's rewards: above 0, cheating pays. */
  againstHonesty: number
  /** Suspended keys, mean over the runs. */
  suspensions: number
  /** Whether the floor keeps it below honest work under as many keys; null where no floor can. */
  deterred: boolean | null
}

/** What every strategy earns under one setting. `onProgress` counts lives. */
export function weighStrategies(
  setting: Setting,
  onProgress: (done: number, of: number) => void = () => {},
): StrategyRow[] {
  const of = livesUnder(setting)
  const weigh = weighing(setting, (done) => onProgress(done, of))
  const [honesty] = STRATEGIES
  const honest = weigh(honesty)
  return STRATEGIES.map((strategy) => {
    const { profitMsat, suspensions } = weigh(strategy)
    return {
      strategy: strategy.name,
      what: strategy.what,
      profitMsat,
      againstHonesty: (profitMsat - honest.profitMsat) / HONEST_REWARDS_MSAT,
      suspensions,
      deterred: strategy.below === null ? null : profitMsat < weigh(strategy.below).profitMsat,
    }
  })
}

/** All that are played under one setting. */
export function livesUnder({ runs }: Setting): number {
  return STRATEGIES.length * runs
}

/** Whether every strategy that has to lose does; stops at the first that doesn't, before all lives are played. */
export function isSafe(setting: Setting, onLife: (done: number) => void = () => {}): boolean {
  const weigh = weighing(setting, onLife)
  return STRATEGIES.every(
    (strategy) => strategy.below === null || weigh(strategy).profitMsat < weigh(strategy.below).profitMsat,
  )
}

interface Weight {
  profitMsat: number
  suspensions: number
}

/** Every strategy meets the same blocks and draws, and is played once. */
function weighing(setting: Setting, onLife: (done: number) => void): (strategy: Strategy) => Weight {
  const drawn: AuditDraws[] = []
  const weighed = new Map<Strategy, Weight>()
  let done = 0
  function play(strategy: Strategy): Weight {
    const lives = Array.from({ length: setting.runs }, (_, run) => {
      const seed = `${setting.seed} ${run}`
      drawn[run] ??= drawAudits(setting, seed)
      const life = playStrategy(strategy, setting, seed, drawn[run])
      onLife(++done)
      return life
    })
    return {
      profitMsat: lives.reduce((sum, { profitMsat }) => sum + profitMsat, 0) / lives.length,
      suspensions: lives.reduce((sum, { suspensions }) => sum + suspensions, 0) / lives.length,
    }
  }
  return (strategy) => {
    const weight = weighed.get(strategy) ?? play(strategy)
    weighed.set(strategy, weight)
    return weight
  }
}
