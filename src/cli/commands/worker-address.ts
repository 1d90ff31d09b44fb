import { resolve } from 'node:path'
import type { Command } from 'commander'
import { parseAddress } from '../../../anchor/address.ts'
import { canCheckMessages, parseSignedMessage } from '../../../anchor/bip322.ts'
import { publicKeyOf } from '../../../compute/work/worker-key.ts'
import { changeAddress, readPaidWorker } from '../../client/change-address.ts'
import { readStatus } from '../../client/read-status.ts'
import { addressChangeMessage } from '../../log/address-change.ts'
import { example } from '../example.ts'
import { CliError, EXIT } from '../exit-code.ts'
import { readWorkerKey } from '../own-worker-key.ts'
import { openTerminal } from '../terminal.ts'
import { webAddress } from '../web-address.ts'
import { blockHeight, wholeSats } from '../whole-number.ts'

interface AddressOptions {
  readonly coordinator: string
  readonly address: string
  readonly data: string
  readonly thresholdSats?: bigint
  readonly expires?: number
  readonly signature?: string
  readonly json?: boolean
}

/** A day: time enough to fetch the old key from where it is kept. */
const EXPIRY_BLOCKS = 144

export function addWorkerAddress(worker: Command): void {
  worker
    .command('address')
    .description(
      'be paid elsewhere: prints what the key of the present address must sign, and sends the signature',
    )
    .requiredOption('--coordinator <url>', 'where `assay up` listens', webAddress)
    .requiredOption('--address <address>', 'the new one')
    .option('--data <folder>', "the worker's", 'assay-worker')
    .option('--threshold-sats <sats>', 'be paid from this sum on', wholeSats)
    .option('--expires <height>', 'the last block that may anchor it; a day from now by default', blockHeight)
    .option('--signature <base64>', 'of the message, by the present address (BIP-322, simple)')
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      '\nSign the message that it prints, then give the same with its --expires and the --signature.',
    )
    .addHelpText(
      'after',
      example(
        'assay worker address --coordinator http://127.0.0.1:8380 --address bcrt1q…',
        'assay worker address --coordinator http://127.0.0.1:8380 --address bcrt1q… --expires 1440 --signature AkcwRAIg…',
      ),
    )
    .action(address)
}

async function address(options: AddressOptions): Promise<void> {
  const { coordinator: url, address, thresholdSats = 0n } = options
  const secretKey = readWorkerKey(resolve(options.data))
  const worker = publicKeyOf(secretKey)
  const now = await readPaidWorker(url, worker)
  // Before anybody fetches the old key to sign for it.
  parseAddress(address, now.network)
  if (!canCheckMessages(parseAddress(now.address, now.network).script)) {
    throw new CliError(
      EXIT.usage,
      'address_unsigning',
      `no message of ${now.address} can be checked, only of bc1q… and bc1p… of one key: another address takes another worker`,
    )
  }
  const expiryHeight = options.expires ?? (await tipOf(url)) + EXPIRY_BLOCKS
  const change = { worker, address, thresholdSats, replaces: now.addressEntry, expiryHeight }
  const message = addressChangeMessage(change, now.origin)
  const terminal = openTerminal(options.json === true)
  if (options.signature === undefined) {
    terminal.result(
      { signer: now.address, message, expires: expiryHeight, pending: now.pendingEntry },
      (asked) => {
        return (
          `Sign this line with the key of ${asked.signer}, as a BIP-322 message:\n\n${asked.message}\n\n` +
          `Then the same command with: --expires ${asked.expires} --signature <base64>`
        )
      },
    )
    return
  }
  const signature = parseSignedMessage(options.signature)
  if (options.expires === undefined || signature === null) {
    throw new CliError(
      EXIT.usage,
      'signature_malformed',
      '--signature is base64 and goes with the --expires that was signed',
    )
  }
  const index = await changeAddress(url, now.origin, secretKey, { ...change, signature })
  terminal.result({ index, address }, (said) => {
    return `Entry ${said.index} says so; payouts that are planned once its anchor is final go to ${said.address}.`
  })
}

async function tipOf(url: string): Promise<number> {
  const { height } = await readStatus(url)
  if (height === null)
    throw new CliError(EXIT.environment, 'starting', 'the coordinator has not seen the chain yet')
  return height
}
