import { resolve } from 'node:path'
import { type Command, InvalidArgumentError } from 'commander'
import { publicKeyOf } from '../../../compute/work/worker-key.ts'
import { checkStatement } from '../../client/check-statement.ts'
import { formatMsat } from '../../client/format-msat.ts'
import { type ReadStatement, readStatement } from '../../client/read-statement.ts'
import { readBlob } from '../../monitor/read-blob.ts'
import { example } from '../example.ts'
import { EXIT } from '../exit-code.ts'
import { readWorkerKey } from '../own-worker-key.ts'
import { reasonInWords } from '../reason-words.ts'
import { renderTable } from '../table.ts'
import { openTerminal } from '../terminal.ts'
import { webAddress } from '../web-address.ts'
import { epochNumber } from '../whole-number.ts'

interface StatementOptions {
  readonly coordinator: string
  readonly mirror?: string
  readonly data: string
  readonly key?: string
  readonly epoch?: number
  readonly json?: boolean
}

export function addWorkerStatement(worker: Command): void {
  worker
    .command('statement')
    .description(
      'what a worker earned in an epoch and why, receipt by receipt, held against the public table',
    )
    .requiredOption('--coordinator <url>', 'where `assay up` listens', webAddress)
    .option('--mirror <url>', 'take the public table from here', webAddress)
    .option('--data <folder>', "the worker's", 'assay-worker')
    .option('--key <hex>', "any worker's key, in place of the folder's", workerKey)
    .option('--epoch <number>', 'the newest that is settled by default', epochNumber)
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      '\nExit code 1: the coordinator says something else than the table that the log names; `assay audit log` checks that table.',
    )
    .addHelpText(
      'after',
      example('assay worker statement --coordinator http://127.0.0.1:8380 --data ./worker-1 --epoch 3'),
    )
    .action(statement)
}

async function statement(options: StatementOptions): Promise<void> {
  const { coordinator: url, mirror = url } = options
  const key = options.key ?? Buffer.from(publicKeyOf(readWorkerKey(resolve(options.data)))).toString('hex')
  const read = await readStatement(url, key, options.epoch ?? null)
  const differences =
    read.accruals === null
      ? []
      : await checkStatement(read, Buffer.from(read.accruals, 'hex'), (digest) => readBlob(mirror, digest))
  openTerminal(options.json === true).result({ ...read, differences }, render)
  if (differences.length > 0) process.exitCode = EXIT.checkFailed
}

function render(read: ReadStatement & { readonly differences: readonly string[] }): string {
  const { epoch, worker, settlementHeight, maturityHeight, maturedEntry, payouts, differences } = read
  const settled =
    read.settledEntry === null ? `settles at block ${settlementHeight}` : `entry ${read.settledEntry}`
  const matured =
    maturedEntry === null ? `matures at block ${maturityHeight}` : `matured by entry ${maturedEntry}`
  const paid = payouts.map(
    ({ payout, msat, txid }) =>
      `paid by payout ${payout}, ${formatMsat(BigInt(msat))} sat in all: ${txid ?? 'not sent yet'}`,
  )
  return [
    `Worker ${worker}, epoch ${epoch}: ${settled}, ${matured}`,
    ...paid,
    '',
    renderTable(
      ['subnet', 'sat', 'from', ''],
      read.earned.map(({ subnet, msat, from, fate }) => [
        subnet,
        formatMsat(BigInt(msat)),
        from,
        fate ?? 'unmatured',
      ]),
    ),
    '',
    renderTable(
      ['receipt', 'subnet', 'units', 'after', 'share', 'sat', 'verdict', 'evidence', 'why'],
      read.receipts.map((one) => [
        one.receipt,
        one.subnet,
        `${one.units}`,
        waitIn(one),
        shareIn(one),
        one.msat === null ? '' : formatMsat(BigInt(one.msat)),
        one.verdict ?? (one.sampled === false ? 'not drawn' : ''),
        one.evidence === null ? '' : `/blobs/${one.evidence}`,
        reasonInWords(one.reason, settlementHeight),
      ]),
    ),
    ...differences.map((difference) => `DIFFERS from the public table: ${difference}`),
  ].join('\n')
}

function waitIn({ leasedMs, answeredMs }: ReadStatement['receipts'][number]): string {
  return leasedMs === null || answeredMs === null ? '' : `${answeredMs - leasedMs} ms`
}

function shareIn({ share }: ReadStatement['receipts'][number]): string {
  return share === null ? '' : `${Math.floor((share.numerator * 100) / share.denominator)} %`
}

function workerKey(text: string): string {
  if (/^[0-9a-f]{64}$/.test(text)) return text
  throw new InvalidArgumentError('expected 64 lower-case hex digits')
}
