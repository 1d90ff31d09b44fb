import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type Command, Option } from 'commander'
import { stringify } from 'csv-stringify'
import { type ReadTransfer, readTransfers } from '../../client/read-transfers.ts'
import { example } from '../example.ts'
import { type OperatorOptions, operatorCommand, operatorOf } from '../operator-command.ts'
import { blockHeight } from '../whole-number.ts'

interface ExportOptions extends OperatorOptions {
  readonly format: 'csv' | 'jsonl'
  readonly account?: string
  readonly from?: number
  readonly to?: number
}

export function addLedgerExport(ledger: Command): void {
  operatorCommand(
    ledger,
    'export',
    'every transfer to standard output: what posts and directs add up to is the balances',
  )
    .addOption(new Option('--format <format>', 'one line each').choices(['csv', 'jsonl']).default('csv'))
    .option('--account <account>', 'what this account was debited or credited, such as reserve')
    .option('--from <height>', 'anchored in this block or later', blockHeight)
    .option(
      '--to <height>',
      'anchored in this block or earlier; what is not anchored is left out',
      blockHeight,
    )
    .addHelpText(
      'after',
      example('assay ledger export --account reserve --format jsonl --config assay/assay.toml'),
    )
    .action(async (options: ExportOptions) => {
      const transfers = readTransfers(operatorOf(options), options.account ?? null)
      const lines = options.format === 'csv' ? csvOf : jsonLinesOf
      await pipeline(lines(rowsOf(transfers, options)), process.stdout, { end: false })
    })
}

async function* rowsOf(
  transfers: AsyncIterable<ReadTransfer>,
  { from = 0, to = Number.POSITIVE_INFINITY }: Pick<ExportOptions, 'from' | 'to'>,
) {
  for await (const transfer of transfers) {
    // What no block holds yet is later than any.
    const height = transfer.anchorHeight ?? Number.POSITIVE_INFINITY
    if (height < from || height > to) continue
    const { sequence, id, kind, debit, credit, amountMsat, code, entryIndex, pendingId, anchorTimeUnix } =
      transfer
    yield {
      sequence,
      id,
      kind,
      debit,
      credit,
      msat: amountMsat,
      code,
      entry: entryIndex,
      pending_id: pendingId,
      anchor_height: transfer.anchorHeight,
      anchor_time: anchorTimeUnix === null ? null : new Date(anchorTimeUnix * 1000).toISOString(),
    }
  }
}

const COLUMNS = [
  ...['sequence', 'id', 'kind', 'debit', 'credit', 'msat', 'code', 'entry', 'pending_id'],
  ...['anchor_height', 'anchor_time'],
]

/** Ids and accounts hold names from outside: none is a formula to a spreadsheet (OWASP, CSV injection). */
function csvOf(rows: ReturnType<typeof rowsOf>): NodeJS.ReadableStream {
  return Readable.from(rows).compose(stringify({ header: true, columns: COLUMNS, escape_formulas: true }))
}

function jsonLinesOf(rows: ReturnType<typeof rowsOf>): NodeJS.ReadableStream {
  return Readable.from(rows).compose(async function* (source: AsyncIterable<unknown>) {
    for await (const row of source) yield `${JSON.stringify(row)}\n`
  })
}
