import { readFileSync, writeFileSync } from 'node:fs'
import { type Command, Option } from 'commander'
import type { NetworkName } from '../../../anchor/network.ts'
import { NETWORK_NAMES } from '../../../anchor/network.ts'
import { openNode } from '../../../anchor/node.ts'
import { askCoordinator } from '../../client/ask-coordinator.ts'
import { parseVerifierKey } from '../../log/note-key.ts'
import { headersFromFile } from '../../proof/headers-from-file.ts'
import { exportOts } from '../../proof/ots.ts'
import { parseProof } from '../../proof/proof.ts'
import type { ProofReport } from '../../proof/proof-report.ts'
import { verifyProof } from '../../proof/verify-proof.ts'
import { connectGiven } from '../connect-given.ts'
import { example } from '../example.ts'
import { CliError, EXIT } from '../exit-code.ts'
import { openTerminal } from '../terminal.ts'

interface VerifyOptions {
  readonly headers?: string
  readonly network: NetworkName
  readonly bitcoindUrl?: string
  readonly cookieFile?: string
  readonly logKey?: string
  readonly internalKey?: string
  readonly json?: boolean
}

export function addProof(program: Command): void {
  const proof = program.command('proof').description('proofs of receipts, down to a block header')
  proof
    .command('get')
    .description("fetch a receipt's proof file")
    .argument('<receipt>', "the receipt's id, 64 hex digits")
    .option('--url <url>', "the coordinator's", 'http://127.0.0.1:8380')
    .option('--out <file>', 'where to write it; by default <receipt>.assay')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', example('assay proof get 9c1e… --url https://assay.example --out r.assay'))
    .action(async (receipt: string, options: { url: string; out?: string; json?: boolean }) => {
      const response = await askCoordinator(options.url, `/v1/receipts/${receipt}/proof`)
      const bytes = new Uint8Array(await response.arrayBuffer())
      const file = options.out ?? `${receipt}.assay`
      writeFileSync(file, bytes)
      openTerminal(options.json === true).result({ file, bytes: bytes.length }, (written) => {
        return `Wrote ${written.file}, ${written.bytes} bytes. Next: assay proof verify ${written.file} --headers FILE`
      })
    })
  proof
    .command('verify')
    .description('check a proof file, offline against a file of headers or against a bitcoind')
    .argument('<file>', 'the proof file')
    .option('--headers <file>', '80-byte headers from block 0 on, as `assay headers` writes them')
    .addOption(
      new Option('--network <name>', 'whose rules the headers keep')
        .choices(NETWORK_NAMES)
        .default('mainnet'),
    )
    .option('--bitcoind-url <url>', 'ask this node for the header instead')
    .option('--cookie-file <file>', "that node's cookie")
    .option('--log-key <key>', "the log's C2SP verifier key, if you know whose log it should be")
    .option('--internal-key <hex>', "the seals' internal key, from the log's genesis")
    .option('--json', 'print the report as JSON')
    .addHelpText('after', '\nExit code 0 only when every check passed.')
    .addHelpText('after', example('assay proof verify r.assay --headers headers.bin'))
    .action(verify)
  proof
    .command('ots')
    .description('write a proof as an OpenTimestamps file, for any OpenTimestamps verifier')
    .argument('<file>', 'the proof file')
    .option('--out <file>', 'where to write it; by default <file>.ots, and the receipt beside it')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', example('assay proof ots r.assay'))
    .action((file: string, options: { out?: string; json?: boolean }) => {
      const proof = parseProof(readFile(file))
      const ots = options.out ?? `${file}.ots`
      // An .ots file stamps another file: here the receipt's own bytes.
      const receipt = ots.replace(/\.ots$/, '') === file ? `${file}.receipt` : ots.replace(/\.ots$/, '')
      writeFileSync(ots, exportOts(proof))
      writeFileSync(receipt, proof.receipt)
      openTerminal(options.json === true).result({ ots, receipt }, (written) => {
        return `Wrote ${written.ots} and the receipt that it stamps, ${written.receipt}.`
      })
    })
}

async function verify(file: string, options: VerifyOptions): Promise<void> {
  const headerAt = await readerOf(options)
  const logKey = options.logKey === undefined ? undefined : publicKeyBytes(options.logKey)
  const { internalKey } = options
  const report = await verifyProof(readFile(file), {
    ...(headerAt === undefined ? {} : { headerAt }),
    ...(logKey === undefined ? {} : { logKey }),
    ...(internalKey === undefined ? {} : { internalKey: Buffer.from(internalKey, 'hex') }),
  })
  openTerminal(options.json === true).result(report, renderReport)
  if (!report.existed) process.exitCode = EXIT.checkFailed
}

async function readerOf(options: VerifyOptions) {
  if (options.headers !== undefined) {
    return (await headersFromFile(options.headers, options.network)).headerAt
  }
  if (options.bitcoindUrl === undefined) return undefined
  const node = openNode(connectGiven(options.bitcoindUrl, options.cookieFile), options.network)
  await node.chain()
  return async (height: number) => {
    const hash = await node.blockHash(height)
    return hash === null ? null : node.header(hash)
  }
}

function publicKeyBytes(verifierKey: string): Uint8Array {
  const { x } = parseVerifierKey(verifierKey).publicKey.export({ format: 'jwk' })
  return Buffer.from(x ?? '', 'base64url')
}

export function renderReport(report: ProofReport): string {
  const checks = report.checks.map(({ name, ok, detail }) => {
    const mark = ok === null ? '–' : ok ? '✓' : '✗'
    return `  ${mark} ${name.padEnd(21)}${detail}`
  })
  const time = report.blockTimeUnix === null ? '' : `, ${new Date(report.blockTimeUnix * 1000).toISOString()}`
  const verdict =
    report.failed !== null
      ? `FAILED at ${report.failed}.`
      : report.existed
        ? `The receipt existed when block ${report.height} was mined${time}.`
        : 'Consistent in itself, but no headers were given: pass --headers or --bitcoind-url.'
  const unpinned =
    report.unpinned.length === 0
      ? ''
      : `\nOnly the proof itself vouches for: ${report.unpinned.join(', ')} (see --log-key, --internal-key).`
  return `receipt ${report.receiptId ?? 'unreadable'}\n${checks.join('\n')}\n${verdict}${unpinned}`
}

function readFile(path: string): Uint8Array {
  try {
    return readFileSync(path)
  } catch (cause) {
    throw new CliError(EXIT.usage, 'file_unreadable', `${path} can't be read`, cause)
  }
}
