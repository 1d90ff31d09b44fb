import { join } from 'node:path'
import { type Command, InvalidArgumentError } from 'commander'
import { openNode } from '../../../anchor/node.ts'
import { recoverAnchors } from '../../../anchor/recover-anchors.ts'
import type { Config } from '../../config/config-schema.ts'
import { loadConfig } from '../../config/load-config.ts'
import { openSiteDatabase } from '../../coordinator/migrations.ts'
import { BLOCKS_BEFORE_START } from '../../coordinator/watch-keys.ts'
import type { Keys } from '../../keystore/derive-keys.ts'
import { openKeystore } from '../../keystore/open-keystore.ts'
import { parseEntry } from '../../log/entry.ts'
import { openLog } from '../../log/log-store.ts'
import { txidText } from '../../log/txid.ts'
import { claimFolder } from '../../store/claim-folder.ts'
import { connectConfigured } from '../connect-configured.ts'
import { example } from '../example.ts'
import { CliError, EXIT } from '../exit-code.ts'
import { readPassphrase } from '../passphrase.ts'
import { openTerminal } from '../terminal.ts'

interface RecoverCommand {
  readonly config: string
  readonly passphraseFile?: string
  readonly fromHeight?: number
  readonly json?: boolean
}

/** Under `assay anchor`. */
export function addAnchorRecover(anchor: Command): void {
  anchor
    .command('recover')
    .description('rebuild the anchors of a lost or old database from the chain; stop the coordinator first')
    .requiredOption('--config <file>', "the coordinator's configuration")
    .option('--passphrase-file <file>', 'passphrase of the keystore; or ASSAY_PASSPHRASE, or a prompt')
    .option(
      '--from-height <height>',
      'a block at or below that of the first anchor; by default two weeks before epoch 0',
      parseHeight,
    )
    .option('--json', 'print the result as JSON')
    .addHelpText('after', example('assay anchor recover --config assay/assay.toml'))
    .action(async (options: RecoverCommand) => {
      const config = loadConfig({ file: options.config, env: process.env })
      const passphrase = await readPassphrase(options)
      const keystore = join(config.dataDir, 'keystore.json')
      const keys = await openKeystore(keystore, { passphrase, network: config.network })
      const recovery = await recover(config, keys, options.fromHeight)
      if (recovery.brokenBy !== null) process.exitCode = EXIT.checkFailed
      openTerminal(options.json === true).result(recovery, ({ found, brokenBy }) => {
        const anchors = `Anchors read from the chain and kept: ${found}.`
        if (brokenBy === null) return `${anchors} \`assay up\` goes on from there.`
        return `${anchors} The chain of seals ends at ${brokenBy.txid} in block ${brokenBy.height}, which is no anchor of this log.`
      })
    })
}

async function recover(config: Config, keys: Keys, fromHeight: number | undefined) {
  const { dataDir, network, origin } = config
  const release = claimFolder(dataDir)
  const db = openSiteDatabase(dataDir)
  const rpc = connectConfigured(config)
  try {
    const log = openLog({ db, origin, seed: keys.logSeed })
    const genesis = log.size() === 0 ? null : parseEntry(log.entry(0))
    if (genesis?.kind !== 'genesis') {
      throw new CliError(
        EXIT.environment,
        'log_empty',
        `${db.name} has no log: restore it first, then its anchors`,
      )
    }
    return await recoverAnchors({
      db,
      node: openNode(rpc, network),
      method: genesis.method,
      origin,
      secretKey: keys.anchor.secretKey,
      firstSeal: { txid: txidText(genesis.seal.txid), vout: genesis.seal.vout, valueSats: genesis.seal.sats },
      payloadFile: join(dataDir, 'payloads'),
      finalDepth: genesis.epoch.finalDepth,
      fromHeight: fromHeight ?? Math.max(0, genesis.epoch.startHeight - BLOCKS_BEFORE_START),
      log,
    })
  } finally {
    rpc.close()
    db.close()
    release()
  }
}

function parseHeight(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('a block height')
  return Number(text)
}
