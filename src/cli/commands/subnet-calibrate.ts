import { readFileSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { type Command, InvalidArgumentError } from 'commander'
import { calibrate } from '../../../compute/compare/calibrate.ts'
import { recordRuns } from '../../../compute/compare/calibrate-record.ts'
import {
  encodeMachineRuns,
  type MachineRuns,
  parseMachineRuns,
} from '../../../compute/compare/calibrate-runs.ts'
import { reportOf } from '../../subnet/calibration-report.ts'
import { type InputOptions, inputsOption, noiseOption, readInputs } from '../calibration-inputs.ts'
import { example } from '../example.ts'
import { CliError, EXIT } from '../exit-code.ts'
import { openProgressLine } from '../progress-line.ts'
import { openTerminal, type Terminal } from '../terminal.ts'

interface RecordOptions extends InputOptions {
  readonly machine: string
  readonly out: string
  readonly json?: boolean
}

interface CalibrateOptions extends InputOptions {
  readonly runs?: readonly string[]
  readonly decide?: Readonly<Record<string, string>>
  readonly rival?: Readonly<Record<string, string>>
  readonly claim?: readonly string[]
  readonly out?: string
  readonly json?: boolean
}

export function addSubnetRecord(subnet: Command): void {
  subnet
    .command('record')
    .description(
      "run a model in every way that this machine has, for another machine's `assay subnet calibrate`",
    )
    .argument('<model>', 'the ONNX file')
    .addOption(inputsOption())
    .addOption(noiseOption())
    .option('--machine <name>', 'what to call this one', hostname())
    .requiredOption('--out <file>', 'where the results go')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', example('assay subnet record digits.onnx --inputs digits/ --out machine-b.runs'))
    .action(async (path: string, { machine, out, json = false, ...from }: RecordOptions) => {
      const terminal = openTerminal(json)
      const model = new Uint8Array(readFileSync(path))
      const recorded = await record(model, readInputs(from, model), machine, terminal)
      writeFileSync(out, encodeMachineRuns(recorded))
      terminal.result({ machine, configurations: recorded.runs.length, out }, (made) => {
        return `${made.configurations} configurations in ${made.out}`
      })
    })
}

export function addSubnetCalibrate(subnet: Command): void {
  subnet
    .command('calibrate')
    .description(
      'set the bounds of a model from honest runs and measure what they catch; exit code 1 where they will not do',
    )
    .argument('<model>', 'the ONNX file')
    .addOption(inputsOption())
    .addOption(noiseOption())
    .option('--runs <files...>', 'what other machines made of the same inputs, by `assay subnet record`')
    .option(
      '--decide <output=count...>',
      'outputs whose largest numbers are a decision, and how many of them',
      pairs,
      {},
    )
    .option('--rival <name=file...>', 'cheaper or wrong models to catch, beside changed weights', pairs, {})
    .option('--claim <cheats...>', 'what the subnet claims to catch; by default all that there is')
    .option(
      '--out <file>',
      'also write the report there, for `calibration` in the file of `assay subnet add`',
    )
    .option('--json', 'print the report as JSON')
    .addHelpText('after', '\nWeights of FP16 and int8 and other weights are made of the model itself.')
    .addHelpText(
      'after',
      example('assay subnet calibrate digits.onnx --inputs digits/ --decide logits=1 --out digits.json'),
    )
    .action(calibrateModel)
}

async function calibrateModel(path: string, options: CalibrateOptions): Promise<void> {
  const { runs = [], decide = {}, rival = {}, claim, out, json = false } = options
  const terminal = openTerminal(json)
  const model = new Uint8Array(readFileSync(path))
  const inputs = readInputs(options, model)
  const others = runs.map((file) => parseMachineRuns(new Uint8Array(readFileSync(file))))
  const machines = [await record(model, inputs, hostname(), terminal), ...others]
  terminal.line('measuring what the bounds catch')
  const progress = openProgressLine('Runs of cheats')
  const report = reportOf(
    await calibrate({
      model,
      inputs,
      machines,
      decisions: Object.fromEntries(Object.entries(decide).map(([name, text]) => [name, countOf(text)])),
      rivals: Object.fromEntries(
        Object.entries(rival).map(([name, file]) => [name, new Uint8Array(readFileSync(file))]),
      ),
      claims: claim ?? null,
      onProgress: progress.show,
    }).finally(progress.close),
  )
  if (out !== undefined) writeFileSync(out, `${JSON.stringify(report, null, 2)}\n`)
  terminal.result(report, renderReport)
  if (report.refusals.length > 0) process.exitCode = EXIT.checkFailed
}

function record(
  model: Uint8Array,
  inputs: readonly Uint8Array[],
  machine: string,
  terminal: Terminal,
): Promise<MachineRuns> {
  terminal.line(`${inputs.length} inputs on ${machine}`)
  return recordRuns({ model, inputs, machine, onRun: (configuration) => terminal.line(`  ${configuration}`) })
}

function renderReport(report: ReturnType<typeof reportOf>): string {
  const { spread, honest, detections, refusals, profile, falseFailRate } = report
  const percent = (part: number) => `${(100 * part).toFixed(1)} %`
  return [
    ...Object.entries(spread).map(
      ([name, most]) => `${name}: honest runs differ by ${most.toExponential(1)} at most`,
    ),
    `honest runs that fail: ${honest.failed} of ${honest.runs}, so at most ${percent(falseFailRate.numerator / falseFailRate.denominator)}`,
    ...detections.map(
      ({ cheat, caught, runs, claimed }) =>
        `${cheat}: ${caught} of ${runs} caught (${percent(caught / runs)})${claimed ? '' : ', not claimed'}`,
    ),
    `profile: ${JSON.stringify(profile)}`,
    ...refusals.map((refusal) => `✗ ${refusal}`),
  ].join('\n')
}

/** Values of a repeated `name=value`. */
function pairs(text: string, before: Readonly<Record<string, string>>): Record<string, string> {
  const at = text.lastIndexOf('=')
  if (at < 1 || at === text.length - 1) throw new InvalidArgumentError('expected name=value')
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) }
}

function countOf(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text))
    throw new CliError(EXIT.usage, 'count_malformed', `--decide: ${text} is no count`)
  return Number(text)
}
