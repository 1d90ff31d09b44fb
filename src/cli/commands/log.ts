import type { Command } from 'commander'
import { logAtUrl } from '../../monitor/log-source.ts'
import type { Observation } from '../../monitor/observe-log.ts'
import { verifyLog } from '../../monitor/verify-log.ts'
import { example } from '../example.ts'
import { EXIT } from '../exit-code.ts'
import { openProgressLine } from '../progress-line.ts'
import { openTerminal } from '../terminal.ts'
import { addLogSucceed } from './log-succeed.ts'

interface VerifyOptions {
  readonly state: string
  readonly logKey?: string
  readonly json?: boolean
}

export function addLog(program: Command): void {
  const log = program.command('log').description('the public log, from outside; and a new one after it')
  addLogSucceed(log)
  log
    .command('verify')
    .description('check that a log only grows since the last look; exit code 1 where it does not')
    .argument('<url>', "the coordinator's")
    .requiredOption('--state <file>', 'what is kept between two looks; made at the first')
    .option(
      '--log-key <key>',
      "the log's C2SP verifier key; without it the first look pins what genesis names",
    )
    .option('--json', 'print the result as JSON')
    .addHelpText('after', example('assay log verify http://127.0.0.1:8380 --state example.log.json'))
    .action(async (url: string, { state, logKey, json }: VerifyOptions) => {
      const progress = openProgressLine('Entries')
      const { observation, evidenceFile } = await verifyLog(
        logAtUrl(url),
        state,
        logKey,
        progress.show,
      ).finally(progress.close)
      const trustedOnFirstUse = observation.code === 'first_seen' && logKey === undefined
      const result = {
        ok: evidenceFile === null,
        ...observation,
        next: undefined,
        evidenceFile,
        trustedOnFirstUse,
      }
      openTerminal(json === true).result(result, () => render(observation, evidenceFile, trustedOnFirstUse))
      if (evidenceFile !== null) process.exitCode = EXIT.checkFailed
    })
}

function render(
  { code, detail, verifierKey, kept, served }: Observation,
  evidenceFile: string | null,
  trustedOnFirstUse: boolean,
): string {
  if (evidenceFile !== null) {
    const notes = `kept:\n${kept ?? 'nothing\n'}\nserved:\n${served}`
    return `BROKEN (${code}): ${detail}\nkey ${verifierKey}\n\n${notes}\nThe evidence is in ${evidenceFile}.`
  }
  const pinned = trustedOnFirstUse
    ? `\nTrusted on first use: the key is the log's own word. Compare it with what the operator publishes elsewhere:\n${verifierKey}`
    : ''
  return `${code === 'first_seen' ? 'First look' : 'Append-only'}: ${detail}.${pinned}`
}
