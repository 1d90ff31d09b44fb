import type { Command } from 'commander'
import { decideAuditor, type ListedAuditors, readAuditors } from '../../client/auditors.ts'
import { example } from '../example.ts'
import { CliError, EXIT } from '../exit-code.ts'
import { type OperatorOptions, operatorCommand, operatorOf } from '../operator-command.ts'
import { renderTable } from '../table.ts'
import { openTerminal } from '../terminal.ts'

interface DecisionOptions extends OperatorOptions {
  readonly reason: string
}

export function addAuditor(program: Command): void {
  const auditor = program.command('auditor').description("who rechecks others' work")
  auditor
    .command('list')
    .description('who may be drawn to audit, and what waits for each')
    .option('--url <url>', "the coordinator's", 'http://127.0.0.1:8380')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', example('assay auditor list --url https://assay.example'))
    .action(async (options: { url: string; json?: boolean }) => {
      openTerminal(options.json === true).result(await readAuditors(options.url), renderAuditors)
    })
  addDecision(auditor, 'admit', 'let a registered worker audit, by an entry of the log')
  addDecision(auditor, 'withdraw', 'draw it no more from the next anchor on, by an entry of the log')
}

function addDecision(auditor: Command, name: 'admit' | 'withdraw', description: string): void {
  operatorCommand(auditor, name, description)
    .argument('<key>', "the worker's key, 64 hex digits, as it logs it at its start")
    .requiredOption('--reason <text>', 'why; public for ever')
    .addHelpText(
      'after',
      example(`assay auditor ${name} 5f1c… --reason "as its owner asked" --config assay/assay.toml`),
    )
    .action(async (key: string, options: DecisionOptions) => {
      if (!/^[0-9a-f]{64}$/.test(key)) {
        throw new CliError(EXIT.usage, 'key_malformed', `${key}: expected 64 lower-case hex digits`)
      }
      const status = name === 'admit' ? 'admitted' : 'withdrawn'
      const { url, token } = operatorOf(options)
      const index = await decideAuditor(url, token, {
        worker: Buffer.from(key, 'hex'),
        status,
        reason: options.reason,
      })
      openTerminal(options.json === true).result({ auditor: key, status, index }, (said) => {
        return `Entry ${said.index} says that ${said.auditor} is ${said.status}. It counts from the anchor that covers it.`
      })
    })
}

function renderAuditors({ auditors }: ListedAuditors): string {
  if (auditors.length === 0) return 'Nobody audits: start the operator’s auditor, or admit a worker.'
  return renderTable(
    ['auditor', 'admitted by', 'open rounds', 'reason'],
    auditors.map(({ auditor, entry, openRounds, reason }) => [
      auditor,
      entry === null ? 'genesis' : `entry ${entry}`,
      `${openRounds}`,
      reason ?? '',
    ]),
  )
}
