import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import { taprootAddress } from '../../../anchor/taproot-address.ts'
import { parseConfig } from '../../config/parse-config.ts'
import { renderConfig } from '../../config/render-config.ts'
import { createKeystore } from '../../keystore/create-keystore.ts'
import { openKeystore } from '../../keystore/open-keystore.ts'
import { example } from '../example.ts'
import { CliError, EXIT } from '../exit-code.ts'
import { readPassphrase } from '../passphrase.ts'
import { openTerminal } from '../terminal.ts'

interface InitOptions {
  readonly dir: string
  readonly network: string
  readonly origin: string
  readonly startHeight: string
  readonly cookieFile: string
  readonly bitcoindUrl?: string
  readonly passphraseFile?: string
  readonly set: readonly string[]
  readonly json?: boolean
}

export function addInit(program: Command): void {
  program
    .command('init')
    .description('write a configuration and a keystore')
    .option('--dir <folder>', 'where to write them', 'assay')
    .requiredOption('--network <name>', 'mainnet, testnet4, signet or regtest')
    .requiredOption('--origin <name>', "the log's name for ever, such as assay.example/log")
    .requiredOption('--start-height <height>', 'first block of epoch 0')
    .requiredOption('--cookie-file <file>', "bitcoind's cookie")
    .option('--bitcoind-url <url>', "bitcoind's RPC; by default the network's own port here")
    .option('--passphrase-file <file>', 'passphrase of the keystore; or ASSAY_PASSPHRASE, or a prompt')
    .option('--set <key=value...>', 'any other key, such as anchor.everyBlocks=3', [])
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      example(
        'assay init --network regtest --origin dev.local/log --start-height 200 --cookie-file ~/.bitcoin/regtest/.cookie',
      ),
    )
    .action(init)
}

async function init(options: InitOptions): Promise<void> {
  const dataDir = resolve(options.dir)
  const file = join(dataDir, 'assay.toml')
  const config = parseConfig('', {
    flags: {
      network: options.network,
      origin: options.origin,
      dataDir,
      'epoch.startHeight': options.startHeight,
      'bitcoind.cookieFile': resolve(options.cookieFile),
      'bitcoind.url': options.bitcoindUrl,
      ...Object.fromEntries(options.set.map(splitSetting)),
    },
  })
  if (existsSync(file)) throw new CliError(EXIT.usage, 'config_exists', `${file} is there already`)
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const keystore = join(dataDir, 'keystore.json')
  const { network } = config
  const passphrase = await readPassphrase(options)
  // One that was interrupted goes on with the keystore that it made.
  const keystoreFound = existsSync(keystore)
  if (!keystoreFound) await createKeystore(keystore, { passphrase, network })
  const keys = await openKeystore(keystore, { passphrase, network })
  writeFileSync(file, renderConfig(config), { flag: 'wx', mode: 0o600 })
  const result = {
    config: file,
    keystore,
    keystoreFound,
    anchorAddress: taprootAddress(keys.anchor.internalKey, network),
    treasuryAddress: taprootAddress(keys.treasury.internalKey, network),
  }
  openTerminal(options.json === true).result(
    result,
    (made) =>
      `Wrote ${made.config}; the only copy of the keys is ${made.keystore}${made.keystoreFound ? ', which was there already' : ''}: back it up.\n` +
      `Next: assay up --config ${made.config}\n` +
      `Then send fee money for anchors to ${made.anchorAddress}\n` +
      `and what is to be earned to       ${made.treasuryAddress}`,
  )
}

function splitSetting(setting: string): [string, string] {
  const at = setting.indexOf('=')
  if (at < 1) throw new CliError(EXIT.usage, 'setting_malformed', `--set ${setting}: expected key=value`)
  return [setting.slice(0, at), setting.slice(at + 1)]
}
