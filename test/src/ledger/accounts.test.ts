import { expect, test } from 'vitest'
import {
  budgetAccount,
  maturedAccount,
  parseAccount,
  payoutAccount,
  requesterAccount,
  unmaturedAccount,
} from '../../../src/ledger/accounts.ts'

const key = 'ab'.repeat(32)

test.each([
  ['treasury', 'treasury', 'debit', null],
  ['fees', 'fees', 'debit', null],
  ['reserve', 'reserve', 'credit', null],
  ['escrow', 'escrow', 'credit', null],
  [budgetAccount(0), 'budget', 'credit', '0'],
  [budgetAccount(17), 'budget', 'credit', '17'],
  [requesterAccount('acme-1'), 'requester', 'credit', 'acme-1'],
  [unmaturedAccount(key), 'unmatured', 'credit', key],
  [maturedAccount(key), 'matured', 'credit', key],
  [payoutAccount(3), 'payout', 'credit', '3'],
])('%s is a %s account, increased by %ss', (name, kind, normal, owner) => {
  expect(parseAccount(name)).toEqual({ kind, normal, owner })
})

test.each([
  '',
  'Treasury',
  'treasury ',
  'treasury\n',
  'budget',
  'budget/',
  'budget/01',
  'budget/-1',
  'budget/1.5',
  `budget/${'9'.repeat(16)}`,
  `worker/${key}`,
  `worker/${key.toUpperCase()}/matured`,
  `worker/${key.slice(1)}/matured`,
  `worker/${key}/pending`,
  'requester/',
  'requester/a/b',
  `requester/${'a'.repeat(65)}`,
  'payout/x',
])('%j is no account', (name) => {
  expect(() => parseAccount(name)).toThrow(expect.objectContaining({ code: 'account_unknown' }))
})

test('a number that is no count makes no account', () => {
  for (const name of [
    budgetAccount(-1),
    budgetAccount(0.5),
    payoutAccount(Number.NaN),
    payoutAccount(1e21),
  ]) {
    expect(() => parseAccount(name)).toThrow(expect.objectContaining({ code: 'account_unknown' }))
  }
})
