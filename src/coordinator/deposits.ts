import type { Coin, Payer } from '../../anchor/payer.ts'
import { txidBytes } from '../log/txid.ts'
import type { Books } from './books.ts'
import { postAll, record } from './books.ts'
import { changeOutpoints } from './change-outpoints.ts'

export interface Deposits {
  /** Books every final coin of the treasury that is neither booked nor change of a payout. @returns how many. */
  bookNew(coins: readonly Coin[]): number
}

const MSAT_PER_SAT = 1000n

/** Coins that somebody sends to the treasury belong to the reserve: nobody's yet, spent on the subsidy. */
export function openDeposits(books: Books, payer: Pick<Payer, 'payouts'>): Deposits {
  const known = books.db
    .prepare<[string, number], bigint>('SELECT 1 FROM deposit WHERE txid = ? AND vout = ?')
    .pluck()
  const insert = books.db.prepare('INSERT INTO deposit (txid, vout, sats, entry_index) VALUES (?, ?, ?, ?)')

  function book({ txid, vout, valueSats }: Coin): void {
    const entry = {
      v: 1,
      kind: 'deposit',
      account: 'reserve',
      txid: txidBytes(txid),
      vout,
      sats: valueSats,
    } as const
    record(books, entry, (entryIndex) => {
      insert.run(txid, vout, valueSats, entryIndex)
      postAll(books, [
        {
          id: `deposit/${txid}/${vout}`,
          debit: 'treasury',
          credit: 'reserve',
          amountMsat: valueSats * MSAT_PER_SAT,
          code: 'deposit',
          entryIndex,
        },
      ])
    })
  }

  return {
    bookNew(coins) {
      const change = changeOutpoints(payer)
      const fresh = coins.filter(
        ({ txid, vout }) => !change.has(`${txid}:${vout}`) && known.get(txid, vout) === undefined,
      )
      for (const coin of fresh) book(coin)
      return fresh.length
    },
  }
}
