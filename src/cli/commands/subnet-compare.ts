import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { spreadOf } from '../../../compute/compare/calibrate-bounds.ts'
import { runPlainly } from '../../../compute/compare/calibrate-record.ts'
import { compareOutputs } from '../../../compute/compare/compare-outputs.ts'
import { readReport } from '../../subnet/calibration-report.ts'
import { type InputOptions, inputsOption, noiseOption, readInputs } from '../calibration-inputs.ts'
import { example } from '../example.ts'
import { EXIT } from '../exit-code.ts'
import { openProgressLine } from '../progress-line.ts'
import { openTerminal } from '../terminal.ts'

interface CompareOptions extends InputOptions {
  readonly calibration?: string
  readonly json?: boolean
}

interface Compared {
  /** By output: the most that a number differs by, of max(|number|, rms); null where the two can't be compared. */
  readonly outputs: Readonly<Record<string, number | null>>
  /** Inputs of which the outputs pass within the bounds; null without bounds. */
  readonly passed: number | null
  readonly inputs: number
  /** Why the first one fails that does. */
  readonly reason: string | null
}

export function addSubnetCompare(subnet: Command): void {
  subnet
    .command('compare')
    .description(
      'what another model makes of the same inputs; exit code 1 where it lies outside of the bounds',
    )
    .argument('<model>', 'the ONNX file')
    .argument('<other>', 'another: an honest variant, or a cheat')
    .addOption(inputsOption())
    .addOption(noiseOption())
    .option('--calibration <file>', 'the report of `assay subnet calibrate` for the first model')
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      example('assay subnet compare digits.onnx digits-fp16.onnx --inputs digits/ --calibration digits.json'),
    )
    .action(compare)
}

async function compare(path: string, otherPath: string, options: CompareOptions): Promise<void> {
  const model = new Uint8Array(readFileSync(path))
  const inputs = readInputs(options, model)
  const other = new Uint8Array(readFileSync(otherPath))
  const progress = openProgressLine('Runs')
  let runs = 0
  const onInput = () => progress.show(++runs, 2 * inputs.length)
  const own = await runPlainly(model, inputs, onInput).finally(progress.close)
  const claimed = await runPlainly(other, inputs, onInput).finally(progress.close)
  const spreads = spreadOf(own.map((bundle, place) => [bundle, claimed[place] ?? new Uint8Array(0)]))
  const verdicts =
    options.calibration === undefined
      ? null
      : verdictsOf(readFileSync(options.calibration, 'utf8'), model, claimed, own)
  const failed = verdicts?.filter(({ verdict }) => verdict === 'fail') ?? []
  const result: Compared = {
    outputs: Object.fromEntries(
      [...spreads].map(([name, { spread }]) => [name, Number.isFinite(spread) ? spread : null]),
    ),
    passed: verdicts === null ? null : verdicts.length - failed.length,
    inputs: inputs.length,
    reason: failed[0]?.reason ?? null,
  }
  openTerminal(options.json === true).result(result, render)
  if (failed.length > 0) process.exitCode = EXIT.checkFailed
}

function verdictsOf(
  report: string,
  model: Uint8Array,
  claimed: readonly Uint8Array[],
  own: readonly Uint8Array[],
): ReturnType<typeof compareOutputs>[] {
  const { profile } = readReport(report, hash('sha256', model))
  return own.map((bundle, place) => compareOutputs(profile, claimed[place] ?? new Uint8Array(0), bundle))
}

function render({ outputs, passed, inputs, reason }: Compared): string {
  return [
    ...Object.entries(outputs).map(([name, most]) =>
      most === null ? `${name}: not comparable` : `${name}: differs by ${most.toExponential(1)} at most`,
    ),
    ...(passed === null ? [] : [`${passed} of ${inputs} pass`]),
    ...(reason === null ? [] : [reason]),
  ].join('\n')
}
