import { expect, test } from 'vitest'
import { MAX_MSAT } from '../../../src/ledger/account-sums.ts'
import type { Transfer } from '../../../src/ledger/transfer.ts'
import { alice, epoch, fundedLedger, posted, transfer } from './funded-ledger.ts'

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

test('of many reservations those end that are pending still, and whose end was never refused', () => {
  const { ledger } = fundedLedger()
  expect(ledger.settlePending('late', { id: 'late/post', post: true, entryIndex: 7 })).toEqual({
    refused: 'pending_not_found',
  })
  ledger.post(['a', 'b', 'ended', 'late', 'other'].map((id) => transfer({ id, pending: true })))
  ledger.settlePending('ended', { id: 'end', post: false, entryIndex: 7 })
  const ids = ['b', 'a', 'ended', 'late', 'fund', 'nobody']
  expect(ledger.settleAll(ids, 'post', 8)).toBe(2)
  expect(ledger.settleAll(ids, 'void', 9)).toBe(1)
  const parts = { debit: 'reserve', credit: epoch, amountMsat: 100n, code: 'budget' }
  expect(ledger.transfers('all').slice(7)).toEqual([
    { ...parts, sequence: 8, id: 'a/post', kind: 'post', entryIndex: 8, pendingId: 'a' },
    { ...parts, sequence: 9, id: 'b/post', kind: 'post', entryIndex: 8, pendingId: 'b' },
    { ...parts, sequence: 10, id: 'late/void', kind: 'void', entryIndex: 9, pendingId: 'late' },
  ])
  expect(ledger.balance('reserve')).toEqual({ postedMsat: 800n, pendingMsat: 100n, availableMsat: 700n })
  expect(ledger.balance(epoch)).toEqual(posted(200n))
  expect(ledger.check()).toEqual([])
})

test.each<[string, Partial<Transfer>]>([
  ['an id too long for what is put behind it', { id: 'x'.repeat(196) }],
  ['a negative entry', { entryIndex: -1 }],
])('to settle many with %s is a bug', (_, change) => {
  const { ledger } = fundedLedger()
  const { id, entryIndex } = transfer(change)
  ledger.post([transfer({ id, pending: true })])
  expect(() => ledger.settleAll([id], 'post', entryIndex)).toThrow(
    expect.objectContaining({ code: 'ERR_ASSERTION' }),
  )
  expect(ledger.settleAll(['x'.repeat(195)], 'post', 8)).toBe(0)
  expect(ledger.balance(epoch)).toEqual(posted(0n))
})
