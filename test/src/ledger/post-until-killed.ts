import { writeSync } from 'node:fs'
import { budgetAccount } from '../../../src/ledger/accounts.ts'
import { openLedger } from '../../../src/ledger/ledger.ts'
import { openDatabase } from '../../../src/store/open-database.ts'

// Posts batches until it is killed, and says after each how many have been committed.
const ledger = openLedger(openDatabase(process.argv[2] ?? ''))
const part = { code: 'test', entryIndex: 0, debit: 'treasury', credit: 'reserve' } as const
for (let batch = 0; ; batch++) {
  ledger.post([
    { ...part, id: `fund-${batch}`, amountMsat: 3n },
    { ...part, id: `grant-${batch}`, debit: 'reserve', credit: budgetAccount(batch), amountMsat: 2n },
    { ...part, id: `hold-${batch}`, debit: 'reserve', credit: 'escrow', amountMsat: 1n, pending: true },
  ])
  writeSync(1, `${batch + 1}\n`)
}
