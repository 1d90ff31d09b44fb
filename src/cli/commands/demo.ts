import { type Command, Option } from 'commander'
import { runDemo } from '../../demo/run-demo.ts'
import { openDemoScreen } from '../demo-screen.ts'
import { renderDemoSummary } from '../demo-summary.ts'
import { example } from '../example.ts'
import { EXIT } from '../exit-code.ts'
import { openTerminal } from '../terminal.ts'
import { untilSignal } from '../until-signal.ts'

export function addDemo(program: Command): void {
  program
    .command('demo')
    .description('the whole way once, on a bitcoind of its own: job, receipt, anchor, audit, payout, proof')
    .addOption(new Option('--method <name>', 'how to anchor').choices(['dual', 'taproot']).default('dual'))
    .option('--cheat', 'with one worker more, which cheats and loses what it had not been paid yet')
    .option('--stay', 'at the end, leave the coordinator and its explorer running until Ctrl-C')
    .option('--json', 'print the summary as one JSON object, last')
    .addHelpText('after', example('assay demo --cheat --stay'))
    .action(
      async (options: { method: 'dual' | 'taproot'; cheat?: boolean; stay?: boolean; json?: boolean }) => {
        const terminal = openTerminal(options.json === true)
        const screen = openDemoScreen(process.stderr)
        try {
          await runDemo({
            method: options.method,
            cheat: options.cheat === true,
            onEvent: screen.show,
            async onSummary(summary, url) {
              screen.close(summary.ok)
              terminal.result(summary, renderDemoSummary)
              if (!summary.ok) process.exitCode = EXIT.checkFailed
              if (options.stay !== true) return
              terminal.line(`The explorer is at ${url} until you press Ctrl-C.`)
              await untilSignal()
            },
          })
        } finally {
          screen.close(false)
        }
      },
    )
}
