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
  /** Whether the floor has to make it lose, and does; null where it hasn't to. */
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
    const { profitMsat, suspensions } = strategy === honesty ? honest : weigh(strategy)
    return {
      strategy: strategy.name,
      what: strategy.what,
      profitMsat,
      againstHonesty: (profitMsat - honest.profitMsat) / HONEST_REWARDS_MSAT,
      suspensions,
      deterred: strategy.deterred ? profitMsat < honest.profitMsat : null,
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
  const [honesty, ...others] = STRATEGIES
  const honest = weigh(honesty)
  return others.every((strategy) => !strategy.deterred || weigh(strategy).profitMsat < honest.profitMsat)
}

/** Every strategy meets the same blocks and draws. */
function weighing(
  setting: Setting,
  onLife: (done: number) => void,
): (strategy: Strategy) => { profitMsat: number; suspensions: number } {
  const drawn: AuditDraws[] = []
  let done = 0
  return (strategy) => {
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
}
