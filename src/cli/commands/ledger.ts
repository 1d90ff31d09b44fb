import type { Command } from 'commander'
import { formatMsat } from '../../client/format-msat.ts'
import { readBooks } from '../../client/read-books.ts'
import { type ReadReconciliation, readReconciliation } from '../../client/read-reconciliation.ts'
import { example } from '../example.ts'
import { EXIT } from '../exit-code.ts'
import { renderTable } from '../table.ts'
import { openTerminal } from '../terminal.ts'
import { addLedgerExport } from './ledger-export.ts'

export function addLedger(program: Command): void {
  const ledger = program.command('ledger').description('the books')
  ledger
    .command('balances')
    .description('every account, in satoshis')
    .option('--url <url>', "the coordinator's", 'http://127.0.0.1:8380')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', example('assay ledger balances --url https://assay.example'))
    .action(async (options: { url: string; json?: boolean }) => {
      const { accounts } = await readBooks(options.url)
      openTerminal(options.json === true).result({ accounts }, (books) =>
        renderTable(
          ['account', 'sat'],
          books.accounts.map(({ account, msat }) => [account, formatMsat(BigInt(msat))]),
        ),
      )
    })
  ledger
    .command('reconcile')
    .description('hold the books against bitcoind; exit code 1 where they differ')
    .option('--url <url>', "the coordinator's", 'http://127.0.0.1:8380')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', example('assay ledger reconcile --url https://assay.example'))
    .action(async (options: { url: string; json?: boolean }) => {
      const reconciliation = await readReconciliation(options.url)
      openTerminal(options.json === true).result(reconciliation, renderReconciliation)
      if (!reconciliation.ok) process.exitCode = EXIT.checkFailed
    })
  addLedgerExport(ledger)
}

function renderReconciliation({ height, rows, inconsistent, ok }: ReadReconciliation): string {
  const table = renderTable(
    ['', 'books sat', 'chain sat', ''],
    rows.map((row) => [
      row.what,
      formatMsat(BigInt(row.booksMsat)),
      formatMsat(BigInt(row.chainMsat)),
      row.ok ? 'ok' : 'DIFFERS',
    ]),
  )
  const quarantined = inconsistent.map((account) => `\nquarantined: ${account}`).join('')
  return `${table}${quarantined}\n${ok ? 'The books agree' : 'The books DIFFER'} at block ${height}.`
}
