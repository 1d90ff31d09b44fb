import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Payee } from '../../../src/log/payees.ts'
import { voidMoves } from '../../../src/rules/void-moves.ts'

const payees = [20n, 30n, 50n].map((sats, i): Payee => ({ address: '', sats, account: `requester/r${i}` }))

test.each([
  [
    'nobody is paid: all is lost',
    [],
    200n,
    ['requester/r0 20', 'requester/r1 30', 'requester/r2 50', 'lost 200'],
  ],
  [
    'one is paid: the rest is lost',
    [1],
    200n,
    ['requester/r0 20', 'requester/r2 50', 'treasury 30', 'lost 170'],
  ],
  ['to the last satoshi', [1, 2], 80n, ['requester/r0 20', 'treasury 80']],
  ['with coins that were not the treasury’s', [0, 1, 2], 80n, ['treasury 80', 'reserve 20']],
] as const)('%s', (_what, paid, spentSats, moved) => {
  const moves = voidMoves('payout/7', payees, { paid, spentSats })
  expect(moves.map(({ debit, credit, sats }) => `${debit === 'lost' ? debit : credit} ${sats}`)).toEqual(
    moved,
  )
})

test('the treasury shrinks by what was spent of it, and the payout’s account is left empty', () => {
  const anyPaid = fc.subarray([0, 1, 2])
  fc.assert(
    fc.property(anyPaid, fc.bigInt(0n, 300n), (paid, spentSats) => {
      const moves = voidMoves('payout/7', payees, { paid, spentSats })
      const sum = (side: 'debit' | 'credit', account: string) =>
        moves.reduce((total, move) => (move[side] === account ? total + move.sats : total), 0n)
      expect(sum('credit', 'treasury')).toBe(spentSats)
      expect(sum('debit', 'payout/7')).toBe(100n)
      expect(moves.every(({ sats }) => sats > 0n)).toBe(true)
    }),
  )
})
