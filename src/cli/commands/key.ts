import { type Command, Option } from 'commander'
import { addApiKey, listApiKeys, revokeApiKey } from '../../client/api-keys.ts'
import { ROLES, type Role } from '../../coordinator/api-keys.ts'
import { example } from '../example.ts'
import { type OperatorOptions, operatorCommand, operatorOf } from '../operator-command.ts'
import { renderTable } from '../table.ts'
import { openTerminal } from '../terminal.ts'

interface KeyOptions extends OperatorOptions {
  readonly role: Role
  readonly name: string
}

export function addKey(program: Command): void {
  const key = program.command('key').description('API keys: who may ask the coordinator for what')
  named(operatorCommand(key, 'add', 'give out a key; it is shown this once'))
    .addHelpText('after', example('assay key add --role read_only --name grafana --config assay/assay.toml'))
    .action(async ({ role, name, ...options }: KeyOptions) => {
      const apiKey = await addApiKey(operatorOf(options), role, name)
      openTerminal(options.json === true).result(
        { role, name, apiKey },
        (made) => `${made.apiKey}\nIt is not shown again. Send it as \`authorization: Bearer <key>\`.`,
      )
    })
  operatorCommand(key, 'list', 'who has one, without the keys')
    .addHelpText('after', example('assay key list --config assay/assay.toml'))
    .action(async (options: OperatorOptions) => {
      openTerminal(options.json === true).result(await listApiKeys(operatorOf(options)), ({ keys }) => {
        if (keys.length === 0) return 'Nobody has one but the operator, by the token of the data folder.'
        const rows = keys.map(({ role, name, createdMs }) => [role, name, new Date(createdMs).toISOString()])
        return renderTable(['role', 'name', 'since'], rows)
      })
    })
  named(operatorCommand(key, 'revoke', 'from now on it opens nothing'))
    .addHelpText(
      'after',
      example('assay key revoke --role read_only --name grafana --config assay/assay.toml'),
    )
    .action(async ({ role, name, ...options }: KeyOptions) => {
      await revokeApiKey(operatorOf(options), role, name)
      openTerminal(options.json === true).result({ role, name, revoked: true }, () => {
        return `The key of ${name} as ${role} opens nothing any more.`
      })
    })
}

function named(command: Command): Command {
  return command
    .addOption(
      new Option('--role <role>', "operator: all; read_only: an operator's reads; requester: its account's")
        .choices(ROLES)
        .makeOptionMandatory(),
    )
    .requiredOption('--name <name>', 'whose it is; for a requester the name of its account')
}
