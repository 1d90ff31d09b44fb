import type { Command } from 'commander'
import { openNode } from '../../../anchor/node.ts'
import { formatMsat } from '../../client/format-msat.ts'
import { loadConfig } from '../../config/load-config.ts'
import { writeInheritance } from '../../coordinator/succession-file.ts'
import { inheritedMsat } from '../../log/inherited-balances.ts'
import { type Legacy, legacyOf } from '../../replay/legacy.ts'
import { connectConfigured } from '../connect-configured.ts'
import { example } from '../example.ts'
import { CliError, EXIT } from '../exit-code.ts'
import { openOldLog } from '../open-old-log.ts'
import { openProgressLine } from '../progress-line.ts'
import { openTerminal } from '../terminal.ts'

interface SucceedOptions {
  readonly config: string
  readonly keyLost?: boolean
  readonly json?: boolean
}

/** `log`: the parent command. */
export function addLogSucceed(log: Command): void {
  log
    .command('succeed')
    .description('let a new log, not yet open, take over what a closed one owes')
    .argument('<old>', "the old coordinator's URL, or a mirror: checkpoint, tile/, blobs/, anchors.bin")
    .requiredOption('--config <file>', "the new log's, as `assay init` wrote it; before its first `assay up`")
    .option('--key-lost', "the old log's seal is unspent, and nobody has its key any more")
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      '\nWhat the old log owed is recomputed from its public data and the chain, up to its last final anchor.',
    )
    .addHelpText('after', example('assay log succeed http://127.0.0.1:8380 --config new/assay.toml'))
    .action(succeed)
}

async function succeed(where: string, { config: file, keyLost, json }: SucceedOptions): Promise<void> {
  const config = loadConfig({ file, env: process.env })
  using held = new DisposableStack()
  const old = await openOldLog(where, held)
  const rpc = connectConfigured(config)
  using _ = { [Symbol.dispose]: () => rpc.close() }
  const progress = openProgressLine('Entries')
  const legacy = await legacyOf(old, openNode(rpc, config.network), {
    mayBeOpen: keyLost === true,
    onProgress: progress.show,
  }).finally(progress.close)
  if (legacy.network !== config.network || legacy.origin === config.origin) {
    throw new CliError(
      EXIT.usage,
      'config_not_successor',
      `the new log must be on ${legacy.network} too, and have another origin than ${legacy.origin}`,
    )
  }
  const path = await writeInheritance(config.dataDir, legacy)
  openTerminal(json === true).result(resultOf(legacy, path), () => render(legacy, path))
}

function resultOf({ succeeds, balances, origin, size, entriesLost }: Legacy, file: string) {
  const { workers, requesters, coins } = balances
  return {
    file,
    origin,
    anchor: succeeds.anchor.index,
    size,
    entriesLost,
    workers: workers.length,
    requesters: requesters.length,
    owedMsat: inheritedMsat(balances),
    heldSats: coins.reduce((sum, { sats }) => sum + sats, 0n),
    treasury: balances.treasury,
  }
}

function render(legacy: Legacy, path: string): string {
  const { anchor, entriesLost, heldSats, origin, owedMsat, requesters, size, treasury, workers } = resultOf(
    legacy,
    path,
  )
  const lost =
    entriesLost === 0
      ? 'Nothing was logged after it.'
      : `NOT carried: ${entriesLost} entries after it, which no anchor holds, and what they moved.`
  return (
    `${origin}: ${size} entries up to anchor ${anchor}. ${lost}\n` +
    `Owed to ${workers} workers and ${requesters} requesters: ${formatMsat(owedMsat)} sat. Work that was not settled earns nothing.\n` +
    `Held at ${treasury}: ${heldSats} sat. With the same keystore they are booked as they are; otherwise send as much\n` +
    'to the new treasury.\n' +
    `Wrote ${path}. Next: assay up`
  )
}
