import { expect, test } from 'vitest'
import { alice, epoch, fundedLedger, posted, transfer } from './funded-ledger.ts'

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
  expect(ledger.quarantined()).toEqual(new Set([epoch]))
  expect([ledger.isQuarantined(epoch), ledger.isQuarantined('reserve')]).toEqual([true, false])

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

test.each(['treasury', alice] as const)('of many reservations none ends that %s takes part in', (name) => {
  const { db, ledger } = fundedLedger()
  const own = transfer({ id: 'own', debit: 'treasury', credit: alice, pending: true })
  ledger.post([own, transfer({ id: 'other', pending: true })])
  db.prepare('UPDATE ledger_account SET quarantined = 1 WHERE name = ?').run(name)
  expect(ledger.settleAll(['own', 'other'], 'post', 8)).toBe(1)
  expect(ledger.balance(epoch)).toEqual(posted(100n))
  expect(ledger.balance(alice)).toEqual(posted(0n))
})
