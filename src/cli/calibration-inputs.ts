import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { InvalidArgumentError, Option } from 'commander'
import { noiseInputs } from '../../compute/compare/calibrate-inputs.ts'
import { MAX_INPUTS } from '../../compute/compare/calibrate-runs.ts'
import { CliError, EXIT } from './exit-code.ts'

/** Where a model's inputs come from: one of the two. */
export interface InputOptions {
  readonly inputs?: string
  readonly noise?: number
}

export const inputsOption = (): Option =>
  new Option('--inputs <folder>', 'input bundles, one file each, in the order of their names').conflicts(
    'noise',
  )

export const noiseOption = (): Option =>
  new Option('--noise <count>', 'or so many inputs of noise, where no data is at hand').argParser(parseCount)

/** Throws CliError for neither or too many. */
export function readInputs({ inputs: folder, noise }: InputOptions, model: Uint8Array): Uint8Array[] {
  if (noise !== undefined) return noiseInputs(model, noise)
  if (folder === undefined) throw new CliError(EXIT.usage, 'inputs_missing', 'give --inputs or --noise')
  const names = readdirSync(folder).sort()
  if (names.length === 0 || names.length > MAX_INPUTS) {
    throw new CliError(
      EXIT.usage,
      'inputs_unfit',
      `${folder} holds ${names.length} files, expected 1 to ${MAX_INPUTS}`,
    )
  }
  return names.map((name) => new Uint8Array(readFileSync(join(folder, name))))
}

function parseCount(text: string): number {
  const count = /^[1-9]\d{0,4}$/.test(text) ? Number(text) : Number.NaN
  if (!(count <= MAX_INPUTS)) throw new InvalidArgumentError(`expected 1 to ${MAX_INPUTS}`)
  return count
}
