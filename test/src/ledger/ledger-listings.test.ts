import { expect, test } from 'vitest'
import { type AccountName, budgetAccount } from '../../../src/ledger/accounts.ts'
import { MAX_TRANSFERS_BACK } from '../../../src/ledger/ledger.ts'
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
  const all = ledger.accounts().map(({ name, postedMsat }) => ({ name, postedMsat }))
  const page = (after: string) => ledger.accountsAfter(after, 4, 1_000) ?? []
  const pages = [page('')]
  for (let last = pages[0]?.at(-1); last !== undefined; last = pages.at(-1)?.at(-1))
    pages.push(page(last.name))
  expect(pages.map(({ length }) => length)).toEqual([4, 4, all.length - 8, 0])
  expect(pages.flat()).toEqual(all)
})

test('accounts are shown as the first entries left them, whatever came since', () => {
  const { db, ledger } = fundedLedger()
  ledger.post([
    transfer({ id: 'a', entryIndex: 3 }),
    transfer({ id: 'pending', debit: epoch, credit: alice, amountMsat: 30n, entryIndex: 4, pending: true }),
    transfer({ id: 'b', debit: epoch, credit: alice, amountMsat: 20n, entryIndex: 4 }),
  ])
  ledger.settlePending('pending', { id: 'post', post: true, entryIndex: 6 })
  // Of an older entry, and later: what the chain brought about.
  ledger.post([transfer({ id: 'late', debit: epoch, credit: 'treasury', amountMsat: 5n, entryIndex: 3 })])
  const held = (size: number) =>
    ledger.accountsAfter('', 9, size)?.flatMap(({ name, postedMsat }) => {
      return name === epoch || name === alice ? [postedMsat] : []
    })
  expect([3, 4, 5, 6, 7].map(held)).toEqual([
    [0n, 0n],
    [95n, 0n],
    [75n, 20n],
    [75n, 20n],
    [45n, 50n],
  ])
  const insert = db.prepare(
    `INSERT INTO ledger_transfer (sequence, id, kind, debit, credit, amount_msat, code, entry_index)
     VALUES (?, ?, 'direct', 'treasury', ?, 1, 'deposit', 8)`,
  )
  insert.run(10, 'first of many', epoch)
  const last = 9n + MAX_TRANSFERS_BACK
  insert.run(last, 'newest', epoch)
  expect(held(8)).toEqual([45n, 50n])
  insert.run(last + 1n, 'one more', epoch)
  expect(held(8)).toBeUndefined()
  expect(held(9)).toEqual([48n, 50n])
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
