import type { Command } from 'commander'
import { readPayoutPlan, resumePayouts, runPayouts, stopPayouts, voidPayout } from '../../client/payouts.ts'
import { readStatus } from '../../client/read-status.ts'
import { example } from '../example.ts'
import { type OperatorOptions, operatorCommand, operatorOf } from '../operator-command.ts'
import { renderPayoutPlan } from '../payout-plan-screen.ts'
import { renderTable } from '../table.ts'
import { openTerminal } from '../terminal.ts'
import { payoutNumber } from '../whole-number.ts'
import { addPayoutPsbt } from './payout-psbt.ts'

export function addPayout(program: Command): void {
  const payout = program.command('payout').description('payments to workers')
  addStatus(payout)
  operatorCommand(payout, 'plan', 'whom the next payout would pay, what it would cost, and who waits and why')
    .addHelpText('after', example('assay payout plan --config assay/assay.toml'))
    .action(async (options: OperatorOptions) => {
      const plan = await readPayoutPlan(operatorOf(options))
      openTerminal(options.json === true).result(plan, renderPayoutPlan)
    })
  operatorCommand(payout, 'run', 'take the next step of a payout now; the limits hold')
    .addHelpText('after', example('assay payout run --config assay/assay.toml'))
    .action(async (options: OperatorOptions) => {
      openTerminal(options.json === true).result(
        await runPayouts(operatorOf(options)),
        ({ payouts, trouble }) => {
          const last = payouts.at(-1)
          const said =
            last === undefined
              ? 'Nobody is paid yet.'
              : `Payout ${last.number}, ${last.totalSats} sat: ${last.state}.`
          return trouble === null ? said : `${said}\nSTUCK: ${trouble}`
        },
      )
    })
  operatorCommand(payout, 'stop', 'the kill switch: nothing is signed or sent from now on')
    .requiredOption('--reason <text>', 'shown in the status until `assay payout resume`')
    .addHelpText('after', example('assay payout stop --reason "a key may be out" --config assay/assay.toml'))
    .action(async (options: OperatorOptions & { reason: string }) => {
      const stopped = await stopPayouts(operatorOf(options), options.reason)
      openTerminal(options.json === true).result({ stopped }, () => {
        return `Payouts are stopped: ${stopped?.reason}\nWhat was sent already is still followed.`
      })
    })
  operatorCommand(payout, 'resume', 'sign and send again')
    .addHelpText('after', example('assay payout resume --config assay/assay.toml'))
    .action(async (options: OperatorOptions) => {
      await resumePayouts(operatorOf(options))
      openTerminal(options.json === true).result({ stopped: null }, () => 'Payouts go on.')
    })
  operatorCommand(payout, 'void', 'give up a payout of whose coins something else has spent any for good')
    .argument('<number>', "the payout's, as in `assay payout status`", payoutNumber)
    .addHelpText('after', example('assay payout void 0 --config assay/assay.toml'))
    .action(async (number: number, options: OperatorOptions) => {
      openTerminal(options.json === true).result(
        await voidPayout(operatorOf(options), number),
        ({ spends, spentSats, paid }) =>
          `Payout ${number} is void; ${spentSats} sat of the treasury's were spent by\n` +
          spends.map(({ txid, height }) => `  ${txid} in block ${height}\n`).join('') +
          (paid.length > 0
            ? `That pays ${paid.length} of the payees. The next payout pays the others.`
            : 'The next payout pays its payees.') +
          ' What came back to the treasury is booked as a deposit.',
      )
    })
  addPayoutPsbt(payout)
}

function addStatus(payout: Command): void {
  payout
    .command('status')
    .description('every payout and where it stands')
    .option('--url <url>', "the coordinator's", 'http://127.0.0.1:8380')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', example('assay payout status --url https://assay.example'))
    .action(async (options: { url: string; json?: boolean }) => {
      const { open } = await readStatus(options.url)
      openTerminal(options.json === true).result(
        {
          payouts: open?.payouts ?? [],
          trouble: open?.payoutTrouble ?? null,
          stopped: open?.payoutsStopped ?? null,
        },
        ({ payouts, trouble, stopped }) =>
          (stopped === null ? '' : `STOPPED: ${stopped.reason}\n\n`) +
          (trouble === null ? '' : `STUCK: ${trouble}\n\n`) +
          renderTable(
            ['payout', 'state', 'sat', 'fee sat', 'vB', 'tries', 'height', 'txid', ''],
            payouts.map((one) => [
              `${one.number}`,
              one.state,
              one.totalSats,
              one.feeSats,
              `${one.vsize}`,
              `${one.attempts}`,
              `${one.height ?? ''}`,
              one.txid ?? '',
              one.trouble ?? '',
            ]),
          ),
      )
    })
}
