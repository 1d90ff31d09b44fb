import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { formatMsat } from '../../client/format-msat.ts'
import {
  listRequesters,
  openAccount,
  type RequesterHolding,
  readAccount,
  withdraw,
} from '../../client/requesters.ts'
import { MSAT_PER_SAT } from '../../rules/msat-per-sat.ts'
import { example } from '../example.ts'
import { type OperatorOptions, operatorCommand, operatorOf } from '../operator-command.ts'
import { renderTable } from '../table.ts'
import { openTerminal } from '../terminal.ts'
import { wholeSats } from '../whole-number.ts'

interface Options {
  readonly url: string
  readonly json?: boolean
}

interface OwnerOptions extends Options {
  readonly apiKeyFile: string
}

export function addRequester(program: Command): void {
  const requester = program.command('requester').description('accounts of those who ask and pay')
  asking(requester, 'add <name>', 'open an account; its API key is shown this once')
    .requiredOption('--refund-address <address>', 'where what is not spent is paid back')
    .addHelpText(
      'after',
      example('assay requester add acme --refund-address bc1p… --url https://assay.example'),
    )
    .action(async (name: string, { url, json, refundAddress }: Options & { refundAddress: string }) => {
      openTerminal(json === true).result(
        await openAccount(url, name, refundAddress),
        ({ depositAddress, apiKey }) =>
          `${apiKey}\nIt is not shown again. What comes to ${depositAddress} is ${name}'s to spend once it is final.`,
      )
    })
  operatorCommand(requester, 'list', 'every account, its addresses and what is left in it, in satoshis')
    .addHelpText('after', example('assay requester list --config assay/assay.toml'))
    .action(async (options: OperatorOptions) => {
      openTerminal(options.json === true).result(await listRequesters(operatorOf(options)), listText)
    })
  owned(requester, 'show <name>', 'what is left in an account')
    .addHelpText(
      'after',
      example('assay requester show acme --api-key-file acme.key --url https://assay.example'),
    )
    .action(async (name: string, options: OwnerOptions) => {
      openTerminal(options.json === true).result(await readAccount(ownerOf(options), name), holdingText)
    })
  owned(requester, 'withdraw <name>', 'have what is not spent paid back by the next payouts')
    .requiredOption('--sats <number>', 'in all, instead of what was asked back before; 0: nothing', wholeSats)
    .addHelpText(
      'after',
      example(
        'assay requester withdraw acme --sats 50000 --api-key-file acme.key --url https://assay.example',
      ),
    )
    .action(async (name: string, { sats, ...options }: OwnerOptions & { sats: bigint }) => {
      const left = await withdraw(ownerOf(options), name, sats * MSAT_PER_SAT)
      openTerminal(options.json === true).result(left, holdingText)
    })
}

function asking(parent: Command, name: string, description: string): Command {
  return parent
    .command(name)
    .description(description)
    .option('--url <url>', "the coordinator's", 'http://127.0.0.1:8380')
    .option('--json', 'print the result as JSON')
}

/** The key comes by a file: whatever stands in a command line is seen by every process. */
function owned(parent: Command, name: string, description: string): Command {
  return asking(parent, name, description).requiredOption(
    '--api-key-file <file>',
    "holds the account's API key",
  )
}

function ownerOf({ url, apiKeyFile }: OwnerOptions): { url: string; apiKey: string } {
  return { url, apiKey: readFileSync(apiKeyFile, 'utf8').trim() }
}

function listText({ requesters }: { requesters: readonly RequesterHolding[] }): string {
  if (requesters.length === 0) return 'Nobody has an account.'
  return renderTable(
    ['requester', 'balance', 'promised', 'withdrawing', 'to spend', 'deposits to', 'paid back to'],
    requesters.map(({ requester, depositAddress, refundAddress, ...msat }) => [
      requester,
      ...[msat.balanceMsat, msat.reservedMsat, msat.withdrawingMsat, msat.availableMsat].map((one) =>
        formatMsat(BigInt(one)),
      ),
      depositAddress,
      refundAddress,
    ]),
  )
}

function holdingText(one: RequesterHolding): string {
  const sats = (msat: string) => `${formatMsat(BigInt(msat))} sat`
  return [
    `${one.requester}: ${sats(one.availableMsat)} to spend, of ${sats(one.balanceMsat)}`,
    `  ${sats(one.reservedMsat)} promised to requests, ${sats(one.withdrawingMsat)} on the way back to ${one.refundAddress}`,
    `  deposits: ${one.depositAddress}`,
  ].join('\n')
}
