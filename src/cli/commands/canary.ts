import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import { addCanaries } from '../../client/add-canaries.ts'
import { example } from '../example.ts'
import { CliError, EXIT } from '../exit-code.ts'
import { type OperatorOptions, operatorCommand, operatorOf } from '../operator-command.ts'
import { openTerminal } from '../terminal.ts'

interface CanaryOptions extends OperatorOptions {
  readonly subnet: string
  readonly model: string
  readonly inputs: string
  readonly outputs: string
}

export function addCanary(program: Command): void {
  const canary = program
    .command('canary')
    .description('answers that the operator knows, hidden among requests')
  operatorCommand(canary, 'add', 'hand over known answers: tensor bundles, each leased once')
    .requiredOption('--subnet <name>', 'the market')
    .requiredOption('--model <name>', "the model's name")
    .requiredOption('--inputs <file or folder>', 'an input bundle, or a folder of them')
    .requiredOption('--outputs <file or folder>', 'what it has to answer; in a folder, under the same names')
    .addHelpText(
      'after',
      example(
        'assay canary add --subnet digits --model digits --inputs known/in --outputs known/out --config assay/assay.toml',
      ),
    )
    .action(add)
}

async function add({ subnet, model, inputs, outputs, ...options }: CanaryOptions): Promise<void> {
  const { url, token } = operatorOf(options)
  const drafts = pairsOf(inputs, outputs).map((pair) => ({
    subnet,
    model,
    inputs: read(pair.inputs),
    outputs: read(pair.outputs),
  }))
  const { added, left } = await addCanaries(url, token, drafts)
  openTerminal(options.json === true).result({ given: drafts.length, added, left }, (done) => {
    const known = done.given - done.added
    const again = known === 0 ? '' : `, ${known} left out: their inputs were canaries before`
    return `${done.added} canaries added${again}. ${done.left} wait for their lease.`
  })
}

function pairsOf(inputs: string, outputs: string): { inputs: string; outputs: string }[] {
  if (!isFolder(inputs)) return [{ inputs, outputs }]
  return readdirSync(inputs)
    .sort()
    .map((name) => ({ inputs: join(inputs, name), outputs: join(outputs, name) }))
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
}

function read(path: string): Uint8Array {
  try {
    return new Uint8Array(readFileSync(path))
  } catch (cause) {
    throw new CliError(EXIT.usage, 'file_unreadable', `${path} can't be read`, cause)
  }
}
