import { parseAddress } from '../../anchor/address.ts'
import type { FinalSpend } from '../../anchor/final-spend.ts'
import type { NetworkName } from '../../anchor/network.ts'
import { parseTransaction } from '../../anchor/parse-transaction.ts'
import type { Payer } from '../../anchor/payer.ts'
import { payoutAccount } from '../ledger/accounts.ts'
import type { Payee } from '../log/payees.ts'
import { txidBytes, txidText } from '../log/txid.ts'
import { MSAT_PER_SAT } from '../rules/msat-per-sat.ts'
import { paysAll } from '../rules/pays-all.ts'
import type { Books } from './books.ts'
import { postAll, record } from './books.ts'
import { changeCoins } from './change-coins.ts'
import { RefusedError } from './refused-error.ts'
import type { Withdrawals } from './withdrawals.ts'

export interface VoidedPayout {
  readonly payout: number
  /** What has spent its coin. */
  readonly txid: string
  readonly height: number
  /** Coins of the treasury that it spent; what of them came back to it is booked as any deposit. */
  readonly lostSats: bigint
  readonly entryIndex: number
}

/**
 * Says in the log that a payout can't be made any more, and owes its payees again what it was to pay them, in the
 * caller's transaction. Throws RefusedError 409 `spend_is_payment`.
 */
export function openVoiding(
  books: Books,
  parts: { payer: Pick<Payer, 'payouts'>; withdrawals: Pick<Withdrawals, 'giveBack'>; network: NetworkName },
): (payout: number, payees: readonly Payee[], spend: FinalSpend) => VoidedPayout {
  const setVoided = books.db.prepare(
    `UPDATE payout SET state = 'voided' WHERE number = ? AND state = 'logged'`,
  )
  const selectDeposit = books.db
    .prepare<[string, number], bigint>('SELECT sats FROM deposit WHERE txid = ? AND vout = ?')
    .pluck()

  function move(payout: number, payees: readonly Payee[], lostSats: bigint, entryIndex: number): void {
    const transfers = payees.map(({ account, sats }) => ({
      id: `payout/${payout}/void/${account}`,
      debit: payoutAccount(payout),
      credit: account,
      amountMsat: sats * MSAT_PER_SAT,
      code: 'payout_voided',
      entryIndex,
    }))
    const id = `payout/${payout}/lost`
    const amountMsat = lostSats * MSAT_PER_SAT
    postAll(books, [
      ...transfers,
      { id, debit: 'lost', credit: 'treasury', amountMsat, code: 'coins_lost', entryIndex },
    ])
    for (const { credit, amountMsat } of transfers) parts.withdrawals.giveBack(credit, amountMsat)
    if (setVoided.run(payout).changes !== 1) throw new Error(`payout ${payout} is closed already`)
  }

  return (payout, payees, { txid, raw, height }) => {
    const transaction = parseTransaction(raw)
    const payments = payees.map(({ address, sats }) => {
      return { script: parseAddress(address, parts.network).script, sats }
    })
    if (transaction === null || paysAll(transaction.outs, payments)) {
      throw new RefusedError(409, 'spend_is_payment', `${txid} pays its payees, or can't be read`)
    }
    const change = changeCoins(parts.payer)
    const lostSats = transaction.ins.reduce((sum, { hash, index }) => {
      const spent = txidText(hash)
      return sum + (selectDeposit.get(spent, index) ?? change.get(`${spent}:${index}`) ?? 0n)
    }, 0n)
    const entry = { v: 1, kind: 'void', payout, txid: txidBytes(txid), height, lostSats } as const
    return record(books, entry, (entryIndex) => {
      move(payout, payees, lostSats, entryIndex)
      return { payout, txid, height, lostSats, entryIndex }
    })
  }
}
