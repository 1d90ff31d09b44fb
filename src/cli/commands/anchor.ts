import type { Command } from 'commander'
import { askCoordinator } from '../../client/ask-coordinator.ts'
import { readStatus } from '../../client/read-status.ts'
import { example } from '../example.ts'
import { type OperatorOptions, operatorCommand, operatorOf } from '../operator-command.ts'
import { renderTable } from '../table.ts'
import { openTerminal } from '../terminal.ts'
import { addAnchorRecover } from './anchor-recover.ts'

export function addAnchor(program: Command): void {
  const anchor = program.command('anchor').description("the log's anchors in Bitcoin")
  anchor
    .command('status')
    .description('every anchor and where it stands')
    .option('--url <url>', "the coordinator's", 'http://127.0.0.1:8380')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', example('assay anchor status --url https://assay.example'))
    .action(async (options: { url: string; json?: boolean }) => {
      const { open } = await readStatus(options.url)
      const terminal = openTerminal(options.json === true)
      terminal.result(
        { anchors: open?.anchors ?? [], stalled: open?.stalled ?? null },
        ({ anchors, stalled }) => {
          const rows = anchors.map((one) => [
            `${one.index}`,
            one.state,
            `${one.height ?? ''}`,
            `${one.size}`,
            `${one.vsize}`,
            one.feeSats,
            one.txid ?? '',
          ])
          const table = renderTable(['anchor', 'state', 'height', 'entries', 'vB', 'fee sat', 'txid'], rows)
          return stalled === null ? table : `${table}\n\nSTALLED (${stalled.code}): ${stalled.detail}`
        },
      )
    })
  operatorCommand(anchor, 'now', 'anchor what is in the log now, whatever the cadence')
    .addHelpText('after', example('assay anchor now --config assay/assay.toml'))
    .action(async (options: OperatorOptions) => {
      const { url, token } = operatorOf(options)
      const response = await askCoordinator(url, '/v1/operator/anchor', { method: 'POST', token })
      const { size } = Object(await response.json())
      openTerminal(options.json === true).result({ requested: true, size: Number(size) }, (asked) => {
        return `An anchor of ${asked.size} entries goes out with this round; see \`assay anchor status\`.`
      })
    })
  addAnchorRecover(anchor)
}
