import type { Coin, Payer } from '../../anchor/payer.ts'
import type { AccountName } from '../ledger/accounts.ts'
import { txidBytes } from '../log/txid.ts'
import { MSAT_PER_SAT } from '../rules/msat-per-sat.ts'
import type { Books } from './books.ts'
import { postUnquarantined, record } from './books.ts'
import { changeCoins } from './change-coins.ts'

export interface Deposits {
  /** Books every final coin of the treasury that is neither booked nor change of a payout. @returns how many. */
  bookNew(coins: readonly DepositCoin[], tip: number): number
}

interface DepositCoin extends Omit<Coin, 'keyIndex'> {
  script: Uint8Array
  /** At `tip`. */
  confirmations: number
}

/**
 * Coins that somebody sends to the treasury's own address belong to the reserve: nobody's yet, spent on the subsidy. Those at a
 * requester's are that requester's to spend; those at an address that nobody has been given are nobody's, and not booked.
 */
export function openDeposits(
  books: Books,
  payer: Pick<Payer, 'payouts'>,
  accountOf: (script: Uint8Array) => AccountName | null,
): Deposits {
  const known = books.db
    .prepare<[string, number], bigint>('SELECT 1 FROM deposit WHERE txid = ? AND vout = ?')
    .pluck()
  const insert = books.db.prepare('INSERT INTO deposit (txid, vout, sats, entry_index) VALUES (?, ?, ?, ?)')

  function book(
    { txid, vout, valueSats, confirmations }: DepositCoin,
    account: AccountName,
    tip: number,
  ): void {
    const entry = {
      v: 1,
      kind: 'deposit',
      account,
      height: tip + 1 - confirmations,
      txid: txidBytes(txid),
      vout,
      sats: valueSats,
    } as const
    record(books, entry, (entryIndex) => {
      insert.run(txid, vout, valueSats, entryIndex)
      postUnquarantined(books, [
        {
          id: `deposit/${txid}/${vout}`,
          debit: 'treasury',
          credit: account,
          amountMsat: valueSats * MSAT_PER_SAT,
          code: 'deposit',
          entryIndex,
        },
      ])
    })
  }

  return {
    bookNew(coins, tip) {
      const change = changeCoins(payer)
      // Any miner can put an output of 0 sat there, which is nobody's money.
      const fresh = coins.filter(
        ({ txid, vout, valueSats }) =>
          valueSats > 0n && !change.has(`${txid}:${vout}`) && known.get(txid, vout) === undefined,
      )
      let booked = 0
      for (const coin of fresh) {
        const account = accountOf(coin.script)
        if (account === null) continue
        book(coin, account, tip)
        booked += 1
      }
      return booked
    },
  }
}
