import { setTimeout as delay } from 'node:timers/promises'
import type { Command } from 'commander'
import { ClientError } from '../../client/ask-coordinator.ts'
import { readStatus } from '../../client/read-status.ts'
import { escapeControls } from '../escape-controls.ts'
import { example } from '../example.ts'
import { CliError, EXIT } from '../exit-code.ts'
import { headOf, renderStatus } from '../status-screen.ts'
import { openTerminal } from '../terminal.ts'
import { untilSignal } from '../until-signal.ts'

const REDRAW_EVERY_MS = 2_000
/** ECMA-48: cursor home, erase to the end of the screen. */
const CLEAR = '\u001b[H\u001b[J'

export function addStatus(program: Command): void {
  program
    .command('status')
    .description('one screen: work, audits, anchors, money, and what to do where something is stuck')
    .option('--url <url>', "the coordinator's", 'http://127.0.0.1:8380')
    .option('--watch', 'draw it anew every two seconds, on a terminal')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', example('assay status --watch'))
    .action(async ({ url, watch, json }: { url: string; watch?: boolean; json?: boolean }) => {
      if (watch === true) return watchStatus(url)
      openTerminal(json === true).result(await readStatus(url), (status) =>
        renderStatus(status, process.stdout.columns),
      )
    })
}

async function watchStatus(url: string): Promise<void> {
  if (!process.stdout.isTTY) {
    throw new CliError(
      EXIT.usage,
      'terminal_missing',
      '--watch needs a terminal: leave it out, or use --json',
    )
  }
  const stop = new AbortController()
  void untilSignal().then(() => stop.abort())
  while (!stop.signal.aborted) {
    const screen = escapeControls(await screenOrError(url))
    // A terminal that doesn't know its size says 0.
    process.stdout.write(`${CLEAR}${headOf(screen, process.stdout.rows || Number.POSITIVE_INFINITY)}\n`)
    // Ends early, by an error, when a signal has come: the loop's condition says the rest.
    await delay(REDRAW_EVERY_MS, undefined, { signal: stop.signal }).catch(() => undefined)
  }
}

/** A coordinator that restarts is watched on. */
async function screenOrError(url: string): Promise<string> {
  try {
    return renderStatus(await readStatus(url), process.stdout.columns)
  } catch (error) {
    if (error instanceof ClientError) return `${error.message} (${error.code})`
    throw error
  }
}
