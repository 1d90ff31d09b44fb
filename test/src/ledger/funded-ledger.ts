import { expect } from 'vitest'
import { budgetAccount, unmaturedAccount } from '../../../src/ledger/accounts.ts'
import { openLedger } from '../../../src/ledger/ledger.ts'
import type { Transfer } from '../../../src/ledger/transfer.ts'
import { temporaryDatabase } from './temporary-database.ts'

export const alice = unmaturedAccount('aa'.repeat(32))
export const epoch = budgetAccount(1)

export function transfer(change: Partial<Transfer> = {}): Transfer {
  return {
    id: 't',
    debit: 'reserve',
    credit: epoch,
    amountMsat: 100n,
    code: 'budget',
    entryIndex: 5,
    ...change,
  }
}

/** A ledger whose treasury and reserve hold 1,000 msat. */
export function fundedLedger() {
  const { db, path } = temporaryDatabase()
  const ledger = openLedger(db)
  const funding = {
    id: 'fund',
    debit: 'treasury',
    credit: 'reserve',
    amountMsat: 1000n,
    code: 'funding',
  } as const
  expect(ledger.post([{ ...funding, entryIndex: 0 }])).toEqual(['applied'])
  return { db, path, ledger }
}

export function posted(msat: bigint) {
  return { postedMsat: msat, pendingMsat: 0n, availableMsat: msat }
}
