import type { Command } from 'commander'
import { readStatus } from '../../client/read-status.ts'
import { renderTable } from '../table.ts'
import { openTerminal } from '../terminal.ts'

export function addPayout(program: Command): void {
  const payout = program.command('payout').description('payments to workers')
  payout
    .command('status')
    .description('every payout and where it stands')
    .option('--url <url>', "the coordinator's", 'http://127.0.0.1:8380')
    .option('--json', 'print the result as JSON')
    .action(async (options: { url: string; json?: boolean }) => {
      const { open } = await readStatus(options.url)
      openTerminal(options.json === true).result(
        { payouts: open?.payouts ?? [], trouble: open?.payoutTrouble ?? null },
        ({ payouts, trouble }) =>
          (trouble === null ? '' : `STUCK: ${trouble}\n\n`) +
          renderTable(
            ['payout', 'state', 'sat', 'fee sat', 'vB', 'height', 'txid'],
            payouts.map((one) => [
              `${one.number}`,
              one.state,
              one.totalSats,
              one.feeSats,
              `${one.vsize}`,
              `${one.height ?? ''}`,
              one.txid ?? '',
            ]),
          ),
      )
    })
}
