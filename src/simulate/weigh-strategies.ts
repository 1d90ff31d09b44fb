import { drawAudits } from './audit-draws.ts'
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

/** What every strategy earns under one setting. */
export function weighStrategies(setting: Setting): StrategyRow[] {
  const weigh = weighing(setting)
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

/** Whether every strategy that has to lose does; stops at the first that doesn't. */
export function isSafe(setting: Setting): boolean {
  const weigh = weighing(setting)
  const [honesty, ...others] = STRATEGIES
  const honest = weigh(honesty)
  return others.every((strategy) => !strategy.deterred || weigh(strategy).profitMsat < honest.profitMsat)
}

/** Every strategy meets the same blocks and draws. */
function weighing(setting: Setting): (strategy: Strategy) => { profitMsat: number; suspensions: number } {
  const worlds = Array.from({ length: setting.runs }, (_, run) => {
    const seed = `${setting.seed} ${run}`
    return { seed, draws: drawAudits(setting, seed) }
  })
  return (strategy) => {
    const lives = worlds.map(({ seed, draws }) => playStrategy(strategy, setting, seed, draws))
    return {
      profitMsat: lives.reduce((sum, { profitMsat }) => sum + profitMsat, 0) / lives.length,
      suspensions: lives.reduce((sum, { suspensions }) => sum + suspensions, 0) / lives.length,
    }
  }
}
