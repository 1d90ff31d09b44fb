import { expect, test } from 'vitest'
import { MAX_MSAT } from '../../../src/ledger/account-sums.ts'
import { type AccountName, budgetAccount, unmaturedAccount } from '../../../src/ledger/accounts.ts'
import { MAX_TRANSFERS_PER_POST, openLedger } from '../../../src/ledger/ledger.ts'
import { TRANSFERS_PER_PAGE, type Transfer } from '../../../src/ledger/transfer.ts'
import { openDatabase } from '../../../src/store/open-database.ts'
import { temporaryDatabase } from './temporary-database.ts'

const alice = unmaturedAccount('aa'.repeat(32))
const epoch = budgetAccount(1)

function transfer(change: Partial<Transfer> = {}): Transfer {
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
function fundedLedger() {
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

function posted(msat: bigint) {
  return { postedMsat: msat, pendingMsat: 0n, availableMsat: msat }
}

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

test('a pending transfer reserves: nothing is posted, and nothing else can have it', () => {
  const { ledger } = fundedLedger()
  ledger.post([transfer({ id: 'p', amountMsat: 700n, pending: true })])
  expect(ledger.balance('reserve')).toEqual({ postedMsat: 1000n, pendingMsat: 700n, availableMsat: 300n })
  expect(ledger.balance(epoch)).toEqual(posted(0n))
  expect(ledger.post([transfer({ id: '2', amountMsat: 301n })])).toEqual([{ refused: 'balance_too_low' }])
  expect(ledger.post([transfer({ id: '3', amountMsat: 300n })])).toEqual(['applied'])
})

test('money that is only promised can’t be spent', () => {
  const { ledger } = fundedLedger()
  ledger.post([transfer({ id: 'p', pending: true })])
  expect(ledger.post([transfer({ id: 's', debit: epoch, credit: alice })])).toEqual([
    { refused: 'balance_too_low' },
  ])
})

test('a reservation on an asset shows as reserved there', () => {
  const { ledger } = fundedLedger()
  ledger.post([transfer({ id: 'p', debit: 'reserve', credit: 'treasury', pending: true })])
  expect(ledger.balance('treasury')).toEqual({ postedMsat: 1000n, pendingMsat: 100n, availableMsat: 900n })
})

test('posting moves what was reserved, voiding releases it, each as a transfer of its own', () => {
  const { ledger } = fundedLedger()
  ledger.post([transfer({ id: 'p1', pending: true }), transfer({ id: 'p2', pending: true, amountMsat: 50n })])
  expect(ledger.settlePending('p1', { id: 's1', post: true, entryIndex: 8 })).toBe('applied')
  expect(ledger.settlePending('p2', { id: 's2', post: false, entryIndex: 9 })).toBe('applied')
  expect(ledger.balance('reserve')).toEqual(posted(900n))
  expect(ledger.balance(epoch)).toEqual(posted(100n))
  const parts = { debit: 'reserve', credit: epoch, code: 'budget' }
  expect(ledger.transfers('all').slice(3)).toEqual([
    { ...parts, sequence: 4, id: 's1', kind: 'post', amountMsat: 100n, entryIndex: 8, pendingId: 'p1' },
    { ...parts, sequence: 5, id: 's2', kind: 'void', amountMsat: 50n, entryIndex: 9, pendingId: 'p2' },
  ])
  expect(ledger.check()).toEqual([])
})

test('a reservation ends once: the same settlement again is a duplicate, any other is refused', () => {
  const { ledger } = fundedLedger()
  ledger.post([transfer({ id: 'p1', pending: true }), transfer({ id: 'p2', pending: true })])
  const settle = (pendingId: string, id: string, post: boolean, entryIndex = 8) =>
    ledger.settlePending(pendingId, { id, post, entryIndex })
  expect(settle('p1', 's1', true)).toBe('applied')
  expect(settle('p1', 's1', true)).toBe('duplicate')
  expect(settle('p1', 's1', false)).toEqual({ refused: 'id_reused' })
  expect(settle('p1', 's1', true, 9)).toEqual({ refused: 'id_reused' })
  expect(settle('p2', 's1', true)).toEqual({ refused: 'id_reused' })
  expect(settle('p1', 's2', true)).toEqual({ refused: 'already_posted' })
  expect(settle('p1', 's3', false)).toEqual({ refused: 'already_posted' })
  expect(settle('p2', 's4', false)).toBe('applied')
  expect(settle('p2', 's5', true)).toEqual({ refused: 'already_voided' })
  expect(ledger.balance(epoch)).toEqual(posted(100n))
})

test('only pending transfers settle, and a settlement refused once stays refused', () => {
  const { ledger } = fundedLedger()
  expect(ledger.settlePending('p', { id: 's', post: true, entryIndex: 8 })).toEqual({
    refused: 'pending_not_found',
  })
  ledger.post([transfer({ id: 'p', pending: true })])
  expect(ledger.settlePending('p', { id: 's', post: true, entryIndex: 8 })).toEqual({
    refused: 'pending_not_found',
  })
  expect(ledger.settlePending('fund', { id: 's2', post: false, entryIndex: 8 })).toEqual({
    refused: 'pending_wrong_kind',
  })
  expect(ledger.settlePending('p', { id: 'fund', post: true, entryIndex: 0 })).toEqual({
    refused: 'id_reused',
  })
})

test('a reservation can be posted even when the sums are full', () => {
  const { ledger } = fundedLedger()
  const rest = transfer({
    id: 'p',
    debit: 'treasury',
    credit: 'reserve',
    amountMsat: MAX_MSAT - 1000n,
    pending: true,
  })
  expect(ledger.post([rest, { ...rest, id: 'more', amountMsat: 1n }])).toEqual([
    'applied',
    { refused: 'sum_overflow' },
  ])
  expect(ledger.settlePending('p', { id: 's', post: true, entryIndex: 8 })).toBe('applied')
  expect(ledger.balance('reserve')).toEqual(posted(MAX_MSAT))
})

test.each<[string, Partial<Transfer>]>([
  ['credited', { debit: 'treasury', credit: 'escrow' }],
  ['debited', { debit: 'fees', credit: 'reserve' }],
])('reservations count towards the largest sum of the %s account alone', (_, accounts) => {
  const { ledger } = fundedLedger()
  ledger.post([transfer({ id: 'p', debit: 'fees', credit: 'escrow', amountMsat: MAX_MSAT, pending: true })])
  expect(ledger.post([transfer({ id: 'more', ...accounts, amountMsat: 1n })])).toEqual([
    { refused: 'sum_overflow' },
  ])
})

test('an account whose sums differ from its transfers is named and quarantined; the rest goes on', () => {
  const { db, ledger } = fundedLedger()
  ledger.post([
    transfer(),
    transfer({ id: 'p', debit: epoch, credit: alice, amountMsat: 10n, pending: true }),
  ])
  db.prepare('UPDATE ledger_account SET credits_posted_msat = 107 WHERE name = ?').run(epoch)

  const sums = { debitsPendingMsat: 10n, debitsPostedMsat: 0n, creditsPendingMsat: 0n }
  const found = [
    {
      account: epoch,
      stored: { ...sums, creditsPostedMsat: 107n },
      recomputed: { ...sums, creditsPostedMsat: 100n },
    },
  ]
  expect(ledger.check()).toEqual(found)
  expect(
    ledger
      .accounts()
      .filter(({ isQuarantined }) => isQuarantined)
      .map(({ name }) => name),
  ).toEqual([epoch])

  expect(
    ledger.post([
      transfer({ id: 'in' }),
      transfer({ id: 'out', debit: epoch, credit: alice, amountMsat: 1n }),
      transfer({ id: 'other', credit: alice }),
      transfer(),
    ]),
  ).toEqual([{ refused: 'account_quarantined' }, { refused: 'account_quarantined' }, 'applied', 'duplicate'])
  expect(ledger.settlePending('p', { id: 's', post: true, entryIndex: 8 })).toEqual({
    refused: 'account_quarantined',
  })
  expect(ledger.check()).toEqual(found)
})

test.each(['debits_pending_msat', 'debits_posted_msat', 'credits_pending_msat', 'credits_posted_msat'])(
  'check finds 1 msat too many in %s',
  (column) => {
    const { db, ledger } = fundedLedger()
    db.prepare(`UPDATE ledger_account SET ${column} = ${column} + 1 WHERE name = 'treasury'`).run()
    expect(ledger.check().map(({ account }) => account)).toEqual(['treasury'])
  },
)

test('quarantine outlives the sums being put right: only a rebuilt ledger is trusted again', () => {
  const { db, ledger } = fundedLedger()
  db.prepare(`UPDATE ledger_account SET credits_posted_msat = 999 WHERE name = 'reserve'`).run()
  expect(ledger.check().length).toBe(1)
  db.prepare(`UPDATE ledger_account SET credits_posted_msat = 1000 WHERE name = 'reserve'`).run()
  expect(ledger.check()).toEqual([])
  expect(ledger.post([transfer()])).toEqual([{ refused: 'account_quarantined' }])
})

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
  expect(() => ledger.post(list)).toThrow(expect.objectContaining({ code: 'ERR_ASSERTION' }))
  expect(ledger.transfers('all').length).toBe(1)
})
