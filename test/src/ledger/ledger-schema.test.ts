import { expect, test } from 'vitest'
import { openLedger } from '../../../src/ledger/ledger.ts'
import { temporaryDatabase } from './temporary-database.ts'

/** A ledger with one posted, one reserved and one refused transfer, to be attacked with plain SQL. */
function ledgerToAttack() {
  const { db } = temporaryDatabase()
  const ledger = openLedger(db)
  const part = { code: 'test', entryIndex: 0, debit: 'treasury', credit: 'reserve' } as const
  ledger.post([
    { ...part, id: 'posted', amountMsat: 100n },
    { ...part, id: 'reserved', debit: 'reserve', credit: 'escrow', amountMsat: 60n, pending: true },
    { ...part, id: 'refused', amountMsat: 0n },
  ])
  return { db, ledger }
}

function insertion(
  kind: string,
  debit: string,
  credit: string,
  amount: string,
  pendingId = 'NULL',
  verb = 'INSERT',
) {
  return `${verb} INTO ledger_transfer (id, kind, debit, credit, amount_msat, code, entry_index, pending_id)
    VALUES ('new', '${kind}', '${debit}', '${credit}', ${amount}, 'test', 0, ${pendingId})`
}

test.each([
  ['a transfer changed', `UPDATE ledger_transfer SET amount_msat = 1 WHERE id = 'posted'`, 'immutable'],
  ['a transfer deleted', `DELETE FROM ledger_transfer WHERE id = 'posted'`, 'immutable'],
  [
    'a transfer replaced by its id',
    insertion('direct', 'treasury', 'reserve', '1', 'NULL', 'REPLACE').replace(`'new'`, `'posted'`),
    'immutable',
  ],
  [
    'a transfer replaced by its place',
    `REPLACE INTO ledger_transfer VALUES (1, 'new', 'direct', 'treasury', 'reserve', 1, 'test', 0, NULL)`,
    'immutable',
  ],
  ['a refusal changed', `UPDATE ledger_refusal SET reason = 'x'`, 'immutable'],
  ['a refusal deleted', 'DELETE FROM ledger_refusal', 'immutable'],
  ['a refusal replaced', `REPLACE INTO ledger_refusal VALUES ('refused', 'x', 0)`, 'immutable'],
  ['an account deleted', `DELETE FROM ledger_account WHERE name = 'reserve'`, 'kept'],
  ['an account renamed', `UPDATE ledger_account SET name = 'mine' WHERE name = 'reserve'`, 'kept'],
  ['an account turned round', `UPDATE ledger_account SET credit_normal = 0 WHERE name = 'reserve'`, 'kept'],
  ['more paid than owed', insertion('direct', 'reserve', 'escrow', '41'), 'CHECK'],
  ['more reserved than owed', insertion('pending', 'reserve', 'escrow', '41'), 'CHECK'],
  ['an amount of zero', insertion('direct', 'treasury', 'reserve', '0'), 'CHECK'],
  ['a negative amount', insertion('direct', 'treasury', 'reserve', '-5'), 'CHECK'],
  ['an amount that is no integer', insertion('direct', 'treasury', 'reserve', '1.5'), 'cannot store REAL'],
  [
    'a sum past 2^63 − 1',
    insertion('direct', 'treasury', 'escrow', '9223372036854775807'),
    'cannot store REAL',
  ],
  ['an account against itself', insertion('direct', 'reserve', 'reserve', '1'), 'CHECK'],
  ['an account that is not open', insertion('direct', 'treasury', 'nowhere', '1'), 'FOREIGN KEY'],
  ['an unknown kind', insertion('gift', 'treasury', 'reserve', '1'), 'CHECK'],
  ['a post that settles nothing', insertion('post', 'reserve', 'escrow', '60'), 'CHECK'],
  ['a direct transfer that settles', insertion('direct', 'reserve', 'escrow', '60', `'reserved'`), 'CHECK'],
  [
    'a post of what isn’t pending',
    insertion('post', 'treasury', 'reserve', '100', `'posted'`),
    'no such pending',
  ],
  ['a post of another amount', insertion('post', 'reserve', 'escrow', '61', `'reserved'`), 'no such pending'],
  [
    'a post from another account',
    insertion('post', 'treasury', 'escrow', '60', `'reserved'`),
    'no such pending',
  ],
  [
    'a void towards another account',
    insertion('void', 'reserve', 'treasury', '60', `'reserved'`),
    'no such pending',
  ],
])('the schema refuses %s', (_, sql, message) => {
  const { db, ledger } = ledgerToAttack()
  const before = [ledger.accounts(), ledger.transfers('all')]
  expect(() => db.exec(sql)).toThrow(message)
  expect([ledger.accounts(), ledger.transfers('all')]).toEqual(before)
  expect(ledger.check()).toEqual([])
})

test('the schema refuses a second settlement, and transfers of quarantined accounts', () => {
  const { db, ledger } = ledgerToAttack()
  db.exec(insertion('post', 'reserve', 'escrow', '60', `'reserved'`))
  const again = insertion('void', 'reserve', 'escrow', '60', `'reserved'`).replace(`'new'`, `'again'`)
  expect(() => db.exec(again)).toThrow('immutable')
  db.exec(`UPDATE ledger_account SET quarantined = 1 WHERE name = 'reserve'`)
  const more = insertion('direct', 'treasury', 'reserve', '1').replace(`'new'`, `'more'`)
  expect(() => db.exec(more)).toThrow('quarantined')
  expect(ledger.check()).toEqual([])
})

test('a transfer written by another program keeps the sums right', () => {
  const { db, ledger } = ledgerToAttack()
  db.exec(insertion('direct', 'treasury', 'reserve', '7'))
  expect(ledger.balance('reserve')).toEqual({ postedMsat: 107n, pendingMsat: 60n, availableMsat: 47n })
  expect(ledger.check()).toEqual([])
})
