import { join } from 'node:path'
import type { Command } from 'commander'
import type { Logger } from 'pino'
import { keepHeapRoomy } from '../../../compute/runtime/roomy-heap.ts'
import { createApp } from '../../api/app.ts'
import { builtExplorer } from '../../api/explorer-routes.ts'
import { listen } from '../../api/listen.ts'
import type { Config } from '../../config/config-schema.ts'
import { loadConfig } from '../../config/load-config.ts'
import type { CoordinatorEvent } from '../../coordinator/coordinator.ts'
import { openCoordinator } from '../../coordinator/coordinator.ts'
import { openKeystore } from '../../keystore/open-keystore.ts'
import { createFailureCounter } from '../../metrics/failure-counter.ts'
import { connectConfigured } from '../connect-configured.ts'
import { example } from '../example.ts'
import { openLogger } from '../open-logger.ts'
import { makeOperatorToken } from '../operator-token.ts'
import { readPassphrase } from '../passphrase.ts'
import { untilSignal } from '../until-signal.ts'

export function addUp(program: Command): void {
  program
    .command('up')
    .description('run the coordinator beside a bitcoind')
    .requiredOption('--config <file>', 'the file that `assay init` wrote')
    .option('--passphrase-file <file>', 'passphrase of the keystore; or ASSAY_PASSPHRASE, or a prompt')
    .addHelpText('after', example('assay up --config assay/assay.toml'))
    .action(async (options: { config: string; passphraseFile?: string }) => {
      await up(loadConfig({ file: options.config, env: process.env }), options)
    })
}

async function up(config: Config, options: { passphraseFile?: string }): Promise<void> {
  keepHeapRoomy()
  const logger = openLogger()
  const passphrase = await readPassphrase(options)
  const keys = await openKeystore(join(config.dataDir, 'keystore.json'), {
    passphrase,
    network: config.network,
  })
  const operatorToken = makeOperatorToken(config.dataDir)
  const rpc = connectConfigured(config)
  const failures = createFailureCounter()
  await using coordinator = await openCoordinator({
    config,
    keys,
    rpc,
    onEvent(event) {
      failures.record(event)
      logEvent(logger, event)
    },
  })
  const app = createApp({
    coordinator,
    operatorToken,
    failures,
    explorer: builtExplorer(),
    onBug: (error) => logger.error({ err: error }, 'bug'),
  })
  await using listening = await listen(app, config.listen)
  logger.info({ url: listening.url, network: config.network, origin: config.origin }, 'listening')
  await untilSignal()
  logger.info('stopping')
  rpc.close()
}

function logEvent(logger: Logger, event: CoordinatorEvent): void {
  switch (event.kind) {
    case 'waiting_for_seal':
      logger.warn(event, 'the log opens once fee money for anchors is final at anchorAddress')
      break
    case 'opened':
      logger.info(event, 'the log is open')
      break
    case 'advanced':
      logger.debug(event.advance, 'advanced')
      break
    case 'witness_alarm':
      logger.error(event.status, 'a witness knows a head that this log does not lead to')
      break
    case 'failed':
      logger.error({ err: event.error }, 'this round failed and is tried again')
      break
  }
}
