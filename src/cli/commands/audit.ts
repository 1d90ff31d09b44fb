import { readFileSync, writeFileSync } from 'node:fs'
import { type Command, Option } from 'commander'
import type { NetworkName } from '../../../anchor/network.ts'
import { openNode } from '../../../anchor/node.ts'
import type { AnchorChainReader } from '../../audit/anchor-chain-reader.ts'
import type { AnchorChainReport } from '../../audit/anchor-chain-report.ts'
import { anchoredSizes } from '../../audit/anchored-sizes.ts'
import { type AnchorsFile, encodeAnchorsFile, parseAnchorsFile } from '../../audit/anchors-file.ts'
import { checkAnchorChain, lastSealOf, readGenesis } from '../../audit/check-anchor-chain.ts'
import { headersOf } from '../../audit/headers-of.ts'
import { readLogRoots } from '../../audit/log-roots.ts'
import { EntryError } from '../../log/entry.ts'
import { logAtUrl, logInFolder } from '../../monitor/log-source.ts'
import { headersFromFile } from '../../proof/headers-from-file.ts'
import { connectGiven } from '../connect-given.ts'
import { example } from '../example.ts'
import { CliError, EXIT } from '../exit-code.ts'
import { fetchAnchorsShown } from '../fetch-anchors-shown.ts'
import { openProgressLine } from '../progress-line.ts'
import { openTerminal } from '../terminal.ts'
import { addAuditLog } from './audit-log.ts'

interface AnchorsOptions {
  readonly url?: string
  readonly anchors?: string
  readonly log?: string
  readonly save?: string
  readonly headers?: string
  readonly bitcoindUrl?: string
  readonly cookieFile?: string
  readonly logKey?: string
  readonly json?: boolean
}

export function addAudit(program: Command): void {
  const audit = program.command('audit').description('check what the operator says, from outside')
  audit
    .command('anchors')
    .description('follow the chain of seals from genesis; exit code 1 where it breaks')
    .option('--url <url>', "the coordinator's: its anchors, and its whole log")
    .addOption(new Option('--anchors <file>', 'an anchors file instead').conflicts('url'))
    .addOption(
      new Option('--log <folder>', "a mirror of the log's checkpoint and tiles instead").conflicts('url'),
    )
    .option('--save <file>', 'keep the anchors as a file, for an audit offline')
    .option('--headers <file>', '80-byte headers from block 0 on, as `assay headers` writes them')
    .addOption(new Option('--bitcoind-url <url>', 'ask this node instead').conflicts('headers'))
    .option('--cookie-file <file>', "that node's cookie")
    .option('--log-key <key>', "the log's C2SP verifier key, if you know whose log it should be")
    .option('--json', 'print the report as JSON')
    .addHelpText(
      'after',
      example(
        'assay audit anchors --url http://127.0.0.1:8380 --headers headers.bin --save anchors.bin',
        'assay audit anchors --anchors anchors.bin --log mirror/ --headers headers.bin',
      ),
    )
    .action(auditAnchors)
  addAuditLog(audit)
}

async function auditAnchors(options: AnchorsOptions): Promise<void> {
  const { save } = options
  const file = await readAnchors(options)
  if (save !== undefined) writeFileSync(save, encodeAnchorsFile(file))
  const report = checkAnchorChain(file, await readerOf(file, options))
  openTerminal(options.json === true).result(report, renderAnchorChain)
  if (!report.ok) process.exitCode = EXIT.checkFailed
}

async function readAnchors({ url, anchors }: AnchorsOptions): Promise<AnchorsFile> {
  if (url !== undefined) return fetchAnchorsShown(url)
  if (anchors === undefined) {
    throw new CliError(EXIT.usage, 'anchors_not_given', 'pass --url or --anchors: where the anchors are')
  }
  try {
    return parseAnchorsFile(readFileSync(anchors))
  } catch (cause) {
    if (!(cause instanceof Error && 'syscall' in cause)) throw cause
    throw new CliError(EXIT.usage, 'file_unreadable', `${anchors} can't be read`, cause)
  }
}

async function readerOf(file: AnchorsFile, options: AnchorsOptions): Promise<AnchorChainReader> {
  const network = networkIn(file)
  if (network === null) return {}
  return {
    ...(await readChain(file, network, options)),
    ...(await readLog(file, options)),
    ...(options.logKey === undefined ? {} : { verifierKey: options.logKey }),
  }
}

/** null where the genesis can't be read: the report names that break, and nothing else can be checked. */
function networkIn(file: AnchorsFile): NetworkName | null {
  try {
    return readGenesis(file).network
  } catch (error) {
    if (error instanceof EntryError) return null
    throw error
  }
}

/** The auditor's own chain must be of genesis' network: a log anchored in regtest proves nothing on mainnet. */
async function readChain(
  file: AnchorsFile,
  network: NetworkName,
  { headers, bitcoindUrl, cookieFile }: AnchorsOptions,
): Promise<Pick<AnchorChainReader, 'headerAt' | 'lastSealUnspent'>> {
  if (headers !== undefined) return { headerAt: (await headersFromFile(headers, network)).headerAt }
  if (bitcoindUrl === undefined) {
    throw new CliError(
      EXIT.usage,
      'chain_not_given',
      'pass --headers or --bitcoind-url: the chain to hold them against',
    )
  }
  const rpc = connectGiven(bitcoindUrl, cookieFile)
  try {
    const node = openNode(rpc, network)
    await node.chain()
    const seal = lastSealOf(file)
    const progress = openProgressLine('Headers')
    return {
      headerAt: await headersOf(node, file, progress.show).finally(progress.close),
      lastSealUnspent: seal !== null && (await node.txOut(seal, { mempool: false })) !== null,
    }
  } finally {
    rpc.close()
  }
}

async function readLog(
  file: AnchorsFile,
  { url, log }: AnchorsOptions,
): Promise<Pick<AnchorChainReader, 'log'>> {
  const source = url !== undefined ? logAtUrl(url) : log !== undefined ? logInFolder(log) : null
  if (source === null) return {}
  const progress = openProgressLine('Entries')
  return {
    log: await readLogRoots(source, anchoredSizes(file), progress.show).finally(progress.close),
  }
}

function renderAnchorChain(report: AnchorChainReport): string {
  const { origin, network, method, anchors, size, height, seal } = report
  const checks = report.checks.map(({ name, ok, detail }) => {
    const mark = ok === null ? '–' : ok ? '✓' : '✗'
    return `  ${mark} ${name.padEnd(14)}${detail}`
  })
  const head = `${origin} on ${network} (${method}): ${anchors} anchors, ${size ?? 0} entries, up to block ${height ?? '–'}`
  return [head, ...checks, verdictOf(report, seal === null ? 'unknown' : `${seal.txid}:${seal.vout}`)].join(
    '\n',
  )
}

function verdictOf({ break: broken, complete }: AnchorChainReport, seal: string): string {
  if (broken !== null) {
    return `BROKEN${broken.anchor === null ? '' : ` at anchor ${broken.anchor}`} (${broken.code}): ${broken.detail}`
  }
  const open = complete ? '' : ' What is marked – was not checked.'
  return `No break from genesis to the seal ${seal}.${open}`
}
