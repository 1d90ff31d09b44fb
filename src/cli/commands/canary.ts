import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import { addCanaries } from '../../client/add-canaries.ts'
import { loadConfig } from '../../config/load-config.ts'
import { CliError, EXIT } from '../exit-code.ts'
import { readOperatorToken } from '../operator-token.ts'
import { openTerminal } from '../terminal.ts'

interface CanaryOptions {
  readonly subnet: string
  readonly model: string
  readonly inputs: string
  readonly outputs: string
  readonly config: string
  readonly url?: string
  readonly json?: boolean
}

export function addCanary(program: Command): void {
  const canary = program
    .command('canary')
    .description('answers that the operator knows, hidden among requests')
  canary
    .command('add')
    .description('hand over known answers: tensor bundles, each leased once')
    .requiredOption('--subnet <name>', 'the market')
    .requiredOption('--model <name>', "the model's name")
    .requiredOption('--inputs <file or folder>', 'an input bundle, or a folder of them')
    .requiredOption('--outputs <file or folder>', 'what it has to answer; in a folder, under the same names')
    .requiredOption('--config <file>', "the coordinator's configuration, for the operator token")
    .option('--url <url>', "the coordinator's; by default where the configuration listens")
    .option('--json', 'print the result as JSON')
    .action(add)
}

async function add({ subnet, model, inputs, outputs, ...options }: CanaryOptions): Promise<void> {
  const config = loadConfig({ file: options.config, env: process.env })
  const url = options.url ?? `http://${config.listen.host}:${config.listen.port}`
  const drafts = pairsOf(inputs, outputs).map((pair) => ({
    subnet,
    model,
    inputs: read(pair.inputs),
    outputs: read(pair.outputs),
  }))
  const { added, left } = await addCanaries(url, readOperatorToken(config.dataDir), drafts)
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
