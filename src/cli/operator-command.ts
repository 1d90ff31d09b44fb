import type { Command } from 'commander'
import { loadConfig } from '../config/load-config.ts'
import { readOperatorToken } from './operator-token.ts'

export interface OperatorOptions {
  readonly config: string
  readonly url?: string
  readonly json?: boolean
}

/** A command that asks a running coordinator with its operator's token. */
export function operatorCommand(parent: Command, name: string, description: string): Command {
  return parent
    .command(name)
    .description(description)
    .requiredOption('--config <file>', "the coordinator's configuration, for the operator token")
    .option('--url <url>', "the coordinator's; by default where the configuration listens")
    .option('--json', 'print the result as JSON')
}

export function operatorOf(options: OperatorOptions): { url: string; token: string } {
  const config = loadConfig({ file: options.config, env: process.env })
  const url = options.url ?? `http://${config.listen.host}:${config.listen.port}`
  return { url, token: readOperatorToken(config.dataDir) }
}
