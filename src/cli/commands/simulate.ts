import { writeFileSync } from 'node:fs'
import { type Command, InvalidArgumentError, Option } from 'commander'
import type { Ratio } from '../../rules/sampling.ts'
import { percent, renderChart } from '../../simulate/chart.ts'
import { lowestFloor } from '../../simulate/lowest-floor.ts'
import type { Setting } from '../../simulate/setting.ts'
import { type StatisticRow, simulateStatistic } from '../../simulate/statistic.ts'
import { unnoticedShare } from '../../simulate/unnoticed-share.ts'
import { type StrategyRow, weighStrategies } from '../../simulate/weigh-strategies.ts'
import { example } from '../example.ts'
import { CliError, EXIT } from '../exit-code.ts'
import { openProgressLine } from '../progress-line.ts'
import { renderTable } from '../table.ts'
import { openTerminal } from '../terminal.ts'

interface SimulateOptions {
  readonly floor: Ratio
  readonly maturity: number
  readonly cost: number
  readonly seed: string
  readonly runs: number
  readonly statistic?: boolean
  readonly seeds: number
  readonly svg?: string
  readonly json?: boolean
}

/** Longer rewards than two years of daily epochs nobody waits for; each epoch is played. */
const MAX_MATURITY_EPOCHS = 730
/** Some hours of playing. */
const MAX_RUNS = 10_000
const MAX_SEEDS = 1_000_000

export function addSimulate(program: Command): void {
  program
    .command('simulate')
    .description('what cheating earns under the rules of this program, against honest work')
    .addOption(
      new Option('--floor <n/m>', 'least audited share of receipts')
        .argParser(parseFloor)
        .default({ numerator: 1n, denominator: 100n }, '1/100'),
    )
    .option('--maturity <epochs>', 'epochs until a reward matures', count(MAX_MATURITY_EPOCHS), 2)
    .option('--cost <share>', 'what honest work costs, of its reward, between 0 and 1', parseCost, 0.6)
    .option('--seed <text>', 'another seed, other luck', 'assay')
    .option('--runs <count>', 'lives of each strategy; the result is their mean', count(MAX_RUNS), 4)
    .option('--statistic', 'how often the statistic convicts honest workers and cheats, instead')
    .option('--seeds <count>', 'lives of each case of --statistic', count(MAX_SEEDS), 20_000)
    .option('--svg <file>', 'also write a chart of the strategies')
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      '\nExit code 1 when a cheat pays at the given floor, or the statistic misses what it promises.',
    )
    .addHelpText(
      'after',
      example('assay simulate --floor 1/200 --maturity 4 --cost 0.8 --svg strategies.svg'),
    )
    .action((options: SimulateOptions) =>
      options.statistic === true ? statistic(options) : strategies(options),
    )
}

function statistic({ seeds, json }: SimulateOptions): void {
  const progress = openProgressLine('Lives')
  const rows = simulateStatistic(seeds, progress.show)
  progress.close()
  openTerminal(json === true).result(rows, renderStatistic)
  if (rows.some(({ ok }) => ok === false)) process.exitCode = EXIT.checkFailed
}

function strategies({ floor, maturity, cost, seed, runs, svg, json }: SimulateOptions): void {
  const setting: Setting = { floor, maturityEpochs: maturity, costShare: cost, seed, runs }
  const weighed = openProgressLine('Lives at this floor')
  const rows = weighStrategies(setting, weighed.show)
  weighed.close()
  const searched = openProgressLine('Lives at other floors')
  const lowest = lowestFloor(setting, searched.show)
  searched.close()
  const result = {
    setting,
    strategies: rows,
    lowestFloor: lowest,
    unnoticedShare: unnoticedShare(),
  }
  if (svg !== undefined) {
    const title = `Audit floor ${renderRatio(floor)}, maturity ${maturity} epochs, cost ${cost} of the reward`
    writeChart(svg, renderChart(title, rows))
  }
  openTerminal(json === true).result(result, (found) =>
    [
      renderStrategies(found.strategies),
      '',
      found.lowestFloor === null
        ? 'At no floor does every cheat lose.'
        : `Lowest floor at which every cheat loses: ${renderRatio(found.lowestFloor)}.`,
      'A cheat loses where it earns less than honest work under as many keys: sybil less than many-keys.',
      'many-keys is no cheat: items are drawn by key, and a key costs only its start as a newcomer.',
      `Not counted: trickle. Who watches its own score can cheat in up to ${(100 * found.unnoticedShare).toFixed(1)}% of its work unconvicted; that bounds what it gains.`,
    ].join('\n'),
  )
  if (rows.some(({ deterred }) => deterred === false)) process.exitCode = EXIT.checkFailed
}

function renderStrategies(rows: readonly StrategyRow[]): string {
  return renderTable(
    ['strategy', 'profit, sats', 'against honesty', 'suspended', 'loses', 'what it does'],
    rows.map((row) => [
      row.strategy,
      (row.profitMsat / 1_000).toFixed(0),
      percent(row.againstHonesty),
      row.suspensions.toFixed(1),
      row.deterred === null ? '–' : row.deterred ? 'yes' : 'NO',
      row.what,
    ]),
  )
}

function renderStatistic(rows: readonly StatisticRow[]): string {
  return renderTable(
    ['case', 'lives', 'convicted', 'held', 'promised', 'kept'],
    rows.map(({ case: name, seeds, convicted, held, bar, ok }) => [
      name,
      String(seeds),
      `${((100 * convicted) / seeds).toFixed(2)}%`,
      `${((100 * held) / seeds).toFixed(2)}%`,
      bar === null
        ? '–'
        : 'atMost' in bar
          ? `at most ${100 * bar.atMost}%`
          : `at least ${100 * bar.atLeast}%`,
      ok === null ? '–' : ok ? 'yes' : 'NO',
    ]),
  )
}

function renderRatio({ numerator, denominator }: Ratio): string {
  return `${numerator}/${denominator}`
}

function writeChart(file: string, svg: string): void {
  try {
    writeFileSync(file, svg)
  } catch (cause) {
    throw new CliError(EXIT.environment, 'file_unwritable', `${file} can't be written`, cause)
  }
}

function parseFloor(text: string): Ratio {
  const match = /^(\d{1,9})\/([1-9]\d{0,8})$/.exec(text)
  const [numerator, denominator] = [BigInt(match?.[1] ?? 1), BigInt(match?.[2] ?? 0)]
  if (numerator > denominator) throw new InvalidArgumentError('Expected a share such as 1/100, at most 1/1.')
  return { numerator, denominator }
}

function parseCost(text: string): number {
  const cost = Number(text)
  if (!(cost > 0 && cost < 1)) throw new InvalidArgumentError('Expected a number between 0 and 1.')
  return cost
}

function count(most: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (Number.isInteger(value) && value >= 1 && value <= most) return value
    throw new InvalidArgumentError(`Expected a whole number from 1 to ${most}.`)
  }
}
