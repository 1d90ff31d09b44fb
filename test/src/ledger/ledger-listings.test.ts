import { expect, test } from 'vitest'
import { type AccountName, budgetAccount } from '../../../src/ledger/accounts.ts'
import { TRANSFERS_PER_PAGE } from '../../../src/ledger/transfer.ts'
import { alice, epoch, fundedLedger, posted, transfer } from './funded-ledger.ts'

test('accounts are listed by the start of their names, without wildcards', () => {
  const { ledger } = fundedLedger()
  const names: AccountName[] = [alice, budgetAccount(1), budgetAccount(10), budgetAccount(2)]
  ledger.post(names.map((credit, i) => transfer({ id: `${i}`, credit })))
  expect(ledger.accounts('budget/').map(({ name }) => name)).toEqual(['budget/1', 'budget/10', 'budget/2'])
  expect(ledger.accounts('budget/1').map(({ name }) => name)).toEqual(['budget/1', 'budget/10'])
  expect(ledger.accounts('worker/')).toEqual([{ name: alice, isQuarantined: false, ...posted(100n) }])
  expect(ledger.accounts('%')).toEqual([])
  expect(ledger.accounts('BUDGET')).toEqual([])
  expect(ledger.accounts().length).toBe(6)
})

test('accounts are paged in the order of their names', () => {
  const { ledger } = fundedLedger()
  const credits = Array.from({ length: 7 }, (_, i) => budgetAccount(i))
  ledger.post(credits.map((credit, i) => transfer({ id: `${i}`, credit })))
  const all = ledger.accounts()
  const pages = [ledger.accountsAfter('', 4)]
  for (let last = pages[0]?.at(-1); last !== undefined; last = pages.at(-1)?.at(-1)) {
    pages.push(ledger.accountsAfter(last.name, 4))
  }
  expect(pages.map(({ length }) => length)).toEqual([4, 4, all.length - 8, 0])
  expect(pages.flat()).toEqual(all)
})

test('transfers are listed in order, by account or by entry', () => {
  const { ledger } = fundedLedger()
  ledger.post([
    transfer({ id: 'a', entryIndex: 3 }),
    transfer({ id: 'b', credit: alice, entryIndex: 4 }),
    transfer({ id: 'c', debit: epoch, credit: alice, entryIndex: 3 }),
  ])
  const ids = (list: { id: string }[]) => list.map(({ id }) => id)
  expect(ids(ledger.transfers('all'))).toEqual(['fund', 'a', 'b', 'c'])
  expect(ids(ledger.transfers('all', 2))).toEqual(['b', 'c'])
  expect(ids(ledger.transfers({ account: epoch }))).toEqual(['a', 'c'])
  expect(ids(ledger.transfers({ account: epoch }, 2))).toEqual(['c'])
  expect(ids(ledger.transfers({ account: 'reserve' }))).toEqual(['fund', 'a', 'b'])
  expect(ids(ledger.transfers({ account: 'reserve' }, 2))).toEqual(['b'])
  expect(ids(ledger.transfers({ entryIndex: 3 }))).toEqual(['a', 'c'])
  expect(ids(ledger.transfers({ entryIndex: 3 }, 2))).toEqual(['c'])
  expect(ledger.transfers({ entryIndex: 9 })).toEqual([])
})

test('a listing comes in pages that join without gap or overlap', () => {
  const { ledger } = fundedLedger()
  const count = TRANSFERS_PER_PAGE + 5
  ledger.post(
    Array.from({ length: count }, (_, i) => transfer({ id: `${i}`, debit: 'treasury', amountMsat: 1n })),
  )
  const first = ledger.transfers({ account: epoch })
  const second = ledger.transfers({ account: epoch }, first.at(-1)?.sequence)
  expect([first.length, second.length]).toEqual([TRANSFERS_PER_PAGE, 5])
  expect([...first, ...second].map(({ id }) => id)).toEqual(Array.from({ length: count }, (_, i) => `${i}`))
})
