import { readFileSync } from 'node:fs'
import { type Command, Option } from 'commander'
import { openNode } from '../../../anchor/node.ts'
import { type AnchorsFile, parseAnchorsFile } from '../../audit/anchors-file.ts'
import { readGenesis } from '../../audit/check-anchor-chain.ts'
import { headersOf } from '../../audit/headers-of.ts'
import { blobsInFolder } from '../../blobs/blob-copy.ts'
import { logAtUrl, logInFolder } from '../../monitor/log-source.ts'
import { headersFromFile } from '../../proof/headers-from-file.ts'
import { blobsAtUrl } from '../../replay/blob-source.ts'
import { keepHeapLean } from '../../replay/lean-heap.ts'
import { legacyOf } from '../../replay/legacy.ts'
import { openReplaySource } from '../../replay/open-replay-source.ts'
import { readClaims } from '../../replay/read-claims.ts'
import { type ReplayReport, replay } from '../../replay/replay.ts'
import { chainOfHeaders, chainOfNode } from '../../replay/replay-chain.ts'
import type { ReplayChain, ReplaySource } from '../../replay/replay-source.ts'
import { connectGiven } from '../connect-given.ts'
import { example } from '../example.ts'
import { CliError, EXIT } from '../exit-code.ts'
import { fetchAnchorsShown } from '../fetch-anchors-shown.ts'
import { openOldLog } from '../open-old-log.ts'
import { openProgressLine } from '../progress-line.ts'
import { renderTable } from '../table.ts'
import { openTerminal } from '../terminal.ts'

/** One screen; `--json` has all of them. */
const MAX_MISSED_SHOWN = 20

interface ReplayOptions {
  readonly url?: string
  readonly log?: string
  readonly blobs?: string
  readonly anchors?: string
  readonly headers?: string
  readonly bitcoindUrl?: string
  readonly cookieFile?: string
  readonly logKey?: string
  readonly old?: string
  readonly json?: boolean
}

/** `audit`: the parent command. */
export function addAuditLog(audit: Command): void {
  audit
    .command('log')
    .description('recompute the whole log from its public data; exit code 1 where it differs')
    .option('--url <url>', "the coordinator's: its log, blobs, anchors and books")
    .addOption(
      new Option('--log <folder>', "a mirror of the log's checkpoint and tiles instead").conflicts('url'),
    )
    .addOption(new Option('--blobs <folder>', 'a copy of its blobs').conflicts('url'))
    .addOption(
      new Option('--anchors <file>', 'its anchors, as `assay audit anchors --save` keeps them').conflicts(
        'url',
      ),
    )
    .option('--headers <file>', '80-byte headers from block 0 on, as `assay headers` writes them')
    .addOption(
      new Option('--bitcoind-url <url>', 'ask this node instead: for coins and payments too').conflicts(
        'headers',
      ),
    )
    .option('--cookie-file <file>', "that node's cookie")
    .option('--log-key <key>', "the log's C2SP verifier key, if you know whose log it should be")
    .option('--old <url or folder>', 'where the log is that this one succeeds, or a mirror of it')
    .option('--json', 'print the report as JSON')
    .addHelpText(
      'after',
      '\nOnly `assay audit anchors` with a node asks whether the last seal is unspent: whether newer anchors are kept back.',
    )
    .addHelpText(
      'after',
      example(
        'assay audit log --url http://127.0.0.1:8380 --bitcoind-url http://127.0.0.1:8332 --cookie-file .cookie',
      ),
    )
    .action(auditLog)
}

async function auditLog(options: ReplayOptions): Promise<void> {
  keepHeapLean()
  // The books first: whatever they speak of is in the log that is read after them.
  const claims = options.url === undefined ? null : await readClaims(options.url)
  const anchors = options.url === undefined ? readAnchors(options) : await fetchAnchorsShown(options.url)
  using held = new DisposableStack()
  const blocks = await openChain(anchors, options, held)
  const progress = openProgressLine('Entries')
  const source = await openReplaySource({
    ...readersOf(options, held),
    anchors,
    claims,
    ...blocks,
    verifierKey: options.logKey ?? null,
    predecessor: await predecessorOf(anchors, options, held),
    onProgress: progress.show,
  })
  const report = await replay(source).finally(progress.close)
  openTerminal(options.json === true).result(report, renderReplay)
  if (!report.ok) process.exitCode = EXIT.checkFailed
}

/** Null where no address is given. What it opens is closed with `held`. */
async function predecessorOf(
  file: AnchorsFile,
  { old: where, bitcoindUrl: url, cookieFile }: ReplayOptions,
  held: DisposableStack,
): Promise<ReplaySource['predecessor']> {
  if (where === undefined) return null
  if (url === undefined) {
    throw new CliError(
      EXIT.usage,
      'chain_not_given',
      'pass --bitcoind-url: the coins that --old left are there',
    )
  }
  const old = await openOldLog(where, held)
  const node = openNode(connect(url, cookieFile, held), readGenesis(file).network)
  return () => {
    const progress = openProgressLine('Entries of the log before')
    return legacyOf(old, node, { mayBeOpen: true, onProgress: progress.show }).finally(progress.close)
  }
}

function readersOf({ url, log, blobs }: ReplayOptions, held: DisposableStack) {
  if (url !== undefined) return { log: logAtUrl(url), blob: blobsAtUrl(url) }
  if (log === undefined || blobs === undefined) {
    throw new CliError(EXIT.usage, 'log_not_given', 'pass --url, or --log, --blobs and --anchors')
  }
  return { log: logInFolder(log), blob: blobsInFolder(blobs, held) }
}

function readAnchors({ anchors }: ReplayOptions): AnchorsFile {
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

/** The auditor's own chain, which must be of genesis' network, and its headers at the anchors. What it opens is closed with `held`. */
async function openChain(
  file: AnchorsFile,
  { headers, bitcoindUrl: url, cookieFile }: ReplayOptions,
  held: DisposableStack,
): Promise<{ chain: ReplayChain; headerAt: (height: number) => Uint8Array | null }> {
  const { network } = readGenesis(file)
  if (headers !== undefined) {
    const own = await headersFromFile(headers, network)
    return { chain: chainOfHeaders(own), headerAt: own.headerAt }
  }
  if (url === undefined) {
    throw new CliError(
      EXIT.usage,
      'chain_not_given',
      'pass --bitcoind-url or --headers: the chain to hold it against',
    )
  }
  const node = openNode(connect(url, cookieFile, held), network)
  const chain = await chainOfNode(node)
  const progress = openProgressLine('Headers')
  return { chain, headerAt: await headersOf(node, file, progress.show).finally(progress.close) }
}

function connect(url: string, cookieFile: string | undefined, held: DisposableStack) {
  return held.adopt(connectGiven(url, cookieFile), (rpc) => rpc.close())
}

function renderReplay({
  origin,
  entries,
  tipHeight,
  rules,
  first,
  sample,
  privateWork,
  missedAudits,
}: ReplayReport): string {
  const table = renderTable(
    ['', 'rule', 'checked', 'failed', 'skipped', ''],
    rules.map(({ name, checked, failed, skipped, first: found }) => [
      failed > 0 ? '✗' : checked > 0 ? '✓' : '–',
      name,
      `${checked}`,
      `${failed}`,
      `${skipped}`,
      found === null ? '' : `${found.entry === null ? '' : `entry ${found.entry}: `}${found.code}`,
    ]),
  )
  const missed = missedAudits
    .slice(0, MAX_MISSED_SHOWN)
    .map(({ epoch, entry, receipt, auditors, lateEntry }) => {
      const late = lateEntry === null ? 'no verdict' : `its verdict, entry ${lateEntry}, too late`
      return `\naudit missed by the operator: receipt ${receipt} of entry ${entry}, epoch ${epoch}; ${late}; due from ${auditors.join(', ') || 'nobody'}`
    })
  if (sample.missed > missed.length)
    missed.push(`\n… and ${sample.missed - missed.length} more; --json lists them`)
  const audits = `\naudits: ${sample.due} of ${sample.receipts} settled receipts had to be audited, ${sample.missed} of them not in time`
  const verdict =
    first === null
      ? `Everything follows from the ${entries} entries, up to block ${tipHeight}.`
      : `DIFFERS first ${first.entry === null ? 'as a whole' : `at entry ${first.entry}`} (${first.rule}: ${first.code}): ${first.detail}`
  // Nothing else is ever skipped under these two.
  const unheld = rules.reduce(
    (sum, { name, skipped }) => sum + (name === 'verdicts' || name === 'openings' ? skipped : 0),
    -privateWork.comparisons,
  )
  const hidden =
    privateWork.subnets.length === 0
      ? ''
      : `\nprivate: outsiders can't recheck the work of ${privateWork.subnets.join(', ')}; ${privateWork.comparisons} comparisons of outputs were left out`
  const gone =
    unheld === 0
      ? ''
      : `\nretention: ${unheld} comparisons of outputs could not be made again: their bytes are past retention and not held`
  const newer = rules.find(({ name }) => name === 'anchors')?.skipped ?? 0
  const young =
    newer === 0
      ? ''
      : `\nanchors: the newest ${newer} are not in your chain of blocks so far: ask again when it has grown`
  const taken = rules.some(({ name, skipped }) => name === 'succession' && skipped > 0)
    ? '\nWhat it took over from the log before is taken as genesis says: pass --old to recompute it.'
    : ''
  return `${origin ?? 'unreadable log'}\n${table}${audits}${missed.join('')}${gone}${hidden}${young}${taken}\n${verdict}`
}
