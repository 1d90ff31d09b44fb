import { expect, test } from 'vitest'
import { MAX_MSAT } from '../../../src/ledger/account-sums.ts'
import { MAX_TRANSFERS_PER_POST, openLedger } from '../../../src/ledger/ledger.ts'
import type { Transfer } from '../../../src/ledger/transfer.ts'
import { openDatabase } from '../../../src/store/open-database.ts'
import { alice, epoch, fundedLedger, posted, transfer } from './funded-ledger.ts'

test('money goes from the treasury’s reserve to a budget, a worker, and what is unearned back', () => {
  const { ledger } = fundedLedger()
  const outcomes = ledger.post([
    transfer({ id: 'b', amountMsat: 600n }),
    transfer({ id: 'w', debit: epoch, credit: alice, amountMsat: 590n, code: 'accrual' }),
    transfer({ id: 'r', debit: epoch, credit: 'reserve', amountMsat: 10n, code: 'unearned' }),
  ])
  expect(outcomes).toEqual(['applied', 'applied', 'applied'])
  expect(ledger.balance('treasury')).toEqual(posted(1000n))
  expect(ledger.balance('reserve')).toEqual(posted(410n))
  expect(ledger.balance(epoch)).toEqual(posted(0n))
  expect(ledger.balance(alice)).toEqual(posted(590n))
  expect(ledger.check()).toEqual([])
})

test('an account without transfers holds nothing', () => {
  const { ledger } = fundedLedger()
  expect(ledger.balance(alice)).toEqual(posted(0n))
  expect(ledger.accounts().map(({ name }) => name)).toEqual(['reserve', 'treasury'])
})

test('the same transfer again is a duplicate and moves nothing', () => {
  const { ledger } = fundedLedger()
  expect(ledger.post([transfer(), transfer()])).toEqual(['applied', 'duplicate'])
  expect(ledger.post([transfer()])).toEqual(['duplicate'])
  expect(ledger.balance(epoch)).toEqual(posted(100n))
})

test.each<[string, Partial<Transfer>]>([
  ['debit account', { debit: 'treasury' }],
  ['credit account', { credit: alice }],
  ['amount', { amountMsat: 101n }],
  ['code', { code: 'accrual' }],
  ['entry', { entryIndex: 6 }],
  ['kind', { pending: true }],
])('an id used again with another %s is refused, and the first transfer stays a duplicate', (_, change) => {
  const { ledger } = fundedLedger()
  ledger.post([transfer()])
  expect(ledger.post([transfer(change), transfer()])).toEqual([{ refused: 'id_reused' }, 'duplicate'])
  expect(ledger.balance(epoch)).toEqual(posted(100n))
})

test.each<[string, Partial<Transfer>]>([
  ['amount_not_positive', { amountMsat: 0n }],
  ['amount_not_positive', { amountMsat: -1n }],
  ['amount_too_large', { debit: 'treasury', amountMsat: MAX_MSAT + 1n }],
  ['same_account', { credit: 'reserve' }],
  ['same_account', { debit: alice, credit: alice }],
  ['balance_too_low', { amountMsat: 1001n }],
  ['balance_too_low', { amountMsat: 1001n, pending: true }],
  ['balance_too_low', { debit: alice, amountMsat: 1n }],
  ['balance_too_low', { debit: 'escrow', credit: 'treasury', amountMsat: 1n }],
  ['sum_overflow', { debit: 'treasury', credit: 'reserve', amountMsat: MAX_MSAT - 999n }],
  ['sum_overflow', { debit: 'fees', credit: 'reserve', amountMsat: MAX_MSAT - 999n }],
  ['sum_overflow', { debit: 'treasury', credit: 'escrow', amountMsat: MAX_MSAT - 999n, pending: true }],
])('%s: %o is refused and moves nothing', (refused, change) => {
  const { ledger } = fundedLedger()
  expect(ledger.post([transfer(change)])).toEqual([{ refused }])
  expect(ledger.accounts().map(({ name, postedMsat }) => [name, postedMsat])).toEqual([
    ['reserve', 1000n],
    ['treasury', 1000n],
  ])
  expect(ledger.transfers('all').length).toBe(1)
})

test('what is just within a limit is applied', () => {
  const { ledger } = fundedLedger()
  expect(ledger.post([transfer({ id: '1', amountMsat: 1000n })])).toEqual(['applied'])
  const rest = transfer({ id: '2', debit: 'treasury', credit: 'reserve', amountMsat: MAX_MSAT - 1000n })
  expect(ledger.post([rest])).toEqual(['applied'])
  expect(ledger.balance('treasury')).toEqual(posted(MAX_MSAT))
  expect(ledger.check()).toEqual([])
})

test('a refused id stays refused after its cause has gone', () => {
  const { ledger } = fundedLedger()
  const early = transfer({ id: 'early', debit: epoch, credit: alice })
  expect(ledger.post([early])).toEqual([{ refused: 'balance_too_low' }])
  expect(ledger.post([transfer(), early])).toEqual(['applied', { refused: 'balance_too_low' }])
  expect(ledger.post([{ ...early, id: 'later' }])).toEqual(['applied'])
})

test('a refusal hinders none of the transfers beside it', () => {
  const { ledger } = fundedLedger()
  const list = [
    transfer({ id: '1' }),
    transfer({ id: '2', amountMsat: 901n }),
    transfer({ id: '3', amountMsat: 900n }),
  ]
  expect(ledger.post(list)).toEqual(['applied', { refused: 'balance_too_low' }, 'applied'])
})

test('the treasury may fall below zero: what left it on chain must be bookable', () => {
  const { ledger } = fundedLedger()
  expect(ledger.post([transfer({ debit: 'fees', credit: 'treasury', amountMsat: 1500n })])).toEqual([
    'applied',
  ])
  expect(ledger.balance('treasury')).toEqual(posted(-500n))
  expect(ledger.balance('fees')).toEqual(posted(1500n))
})

test('a transfer joins its caller’s transaction and goes when that is rolled back', () => {
  const { db, ledger } = fundedLedger()
  const failing = db.transaction(() => {
    ledger.post([transfer({ id: 'kept?' }), transfer({ id: 'refused?', amountMsat: 5000n })])
    throw new Error('the log entry failed')
  })
  expect(() => failing.immediate()).toThrow('the log entry failed')
  expect(ledger.balance(epoch)).toEqual(posted(0n))
  expect(ledger.post([transfer({ id: 'refused?' })])).toEqual(['applied'])
  expect(ledger.check()).toEqual([])
})

test('a batch with an unknown account changes nothing', () => {
  const { ledger } = fundedLedger()
  expect(() => ledger.post([transfer(), transfer({ id: 'x', credit: 'budget/one' })])).toThrow(
    expect.objectContaining({ code: 'account_unknown' }),
  )
  expect(ledger.balance(epoch)).toEqual(posted(0n))
  expect(() => ledger.balance('worker/me/matured')).toThrow(
    expect.objectContaining({ code: 'account_unknown' }),
  )
})

test('a reopened ledger answers as before', () => {
  const { path, ledger } = fundedLedger()
  ledger.post([transfer(), transfer({ id: 'no', amountMsat: 5000n }), transfer({ id: 'p', pending: true })])
  const db = openDatabase(path)
  try {
    const reopened = openLedger(db)
    expect(reopened.accounts()).toEqual(ledger.accounts())
    expect(reopened.post([transfer(), transfer({ id: 'no', amountMsat: 1n })])).toEqual([
      'duplicate',
      { refused: 'balance_too_low' },
    ])
    expect(reopened.settlePending('p', { id: 's', post: true, entryIndex: 8 })).toBe('applied')
    expect(ledger.balance(epoch)).toEqual(posted(200n))
  } finally {
    db.close()
  }
})

test.each<[string, Partial<Transfer>]>([
  ['an empty id', { id: '' }],
  ['an id with a space', { id: 'a b' }],
  ['an id too long', { id: 'x'.repeat(201) }],
  ['a code of other characters', { code: 'Budget' }],
  ['an empty code', { code: '' }],
  ['a negative entry', { entryIndex: -1 }],
  ['half an entry', { entryIndex: 0.5 }],
])('%s is a bug', (_, change) => {
  const { ledger } = fundedLedger()
  expect(() => ledger.post([transfer(change)])).toThrow(expect.objectContaining({ code: 'ERR_ASSERTION' }))
  expect(ledger.transfers('all').length).toBe(1)
})

test('more transfers than one post takes are a bug', () => {
  const { ledger } = fundedLedger()
  const list = Array.from({ length: MAX_TRANSFERS_PER_POST + 1 }, (_, i) =>
    transfer({ id: `${i}`, amountMsat: 1n }),
  )
  const bug = expect.objectContaining({ code: 'ERR_ASSERTION' })
  expect(() => ledger.post(list)).toThrow(bug)
  const ids = list.map(({ id }) => id)
  expect(() => ledger.settleAll(ids, 'post', 5)).toThrow(bug)
  expect(ledger.transfers('all').length).toBe(1)
})
