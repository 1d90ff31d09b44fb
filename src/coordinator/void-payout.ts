import { Transaction } from 'bitcoinjs-lib'
import { parseAddress } from '../../anchor/address.ts'
import type { Spender } from '../../anchor/find-spender.ts'
import type { NetworkName } from '../../anchor/network.ts'
import type { Payer } from '../../anchor/payer.ts'
import { payoutAccount } from '../ledger/accounts.ts'
import type { Payee } from '../log/payees.ts'
import { txidBytes, txidText } from '../log/txid.ts'
import { MSAT_PER_SAT } from '../rules/msat-per-sat.ts'
import { paidPayees } from '../rules/paid-payees.ts'
import { voidMoves } from '../rules/void-moves.ts'
import type { Books } from './books.ts'
import { postAll, record } from './books.ts'
import { changeCoins } from './change-coins.ts'
import { RefusedError } from './refused-error.ts'
import type { Withdrawals } from './withdrawals.ts'

export interface VoidedPayout {
  readonly payout: number
  /** What has spent its coins. */
  readonly spends: readonly { readonly txid: string; readonly height: number }[]
  /** Coins of the treasury that they spent; what of them came back to it is booked as any deposit. */
  readonly spentSats: bigint
  /** Positions of the payees whom they pay. */
  readonly paid: readonly number[]
  readonly entryIndex: number
}

/**
 * Says in the log that a payout can't be made any more, and owes its payees again what it was to pay them,
 * but for those whom `spends` pay, in the caller's transaction. Throws RefusedError 409
 * `account_quarantined`.
 */
export function openVoiding(
  books: Books,
  parts: { payer: Pick<Payer, 'payouts'>; withdrawals: Pick<Withdrawals, 'giveBack'>; network: NetworkName },
): (payout: number, payees: readonly Payee[], spends: readonly Spender[]) => VoidedPayout {
  const setVoided = books.db.prepare(
    `UPDATE payout SET state = 'voided' WHERE number = ? AND state = 'logged'`,
  )
  const selectDeposit = books.db
    .prepare<[string, number], bigint>('SELECT sats FROM deposit WHERE txid = ? AND vout = ?')
    .pluck()

  function move({ payout, entryIndex, ...spent }: VoidedPayout, payees: readonly Payee[]): void {
    const moves = voidMoves(payoutAccount(payout), payees, spent)
    const inTheWay = moves
      .flatMap(({ debit, credit }) => [debit, credit])
      .find((name) => books.ledger.isQuarantined(name))
    if (inTheWay !== undefined) {
      throw new RefusedError(
        409,
        'account_quarantined',
        `${inTheWay} doesn't add up (\`assay ledger reconcile\`): the payout is voided once it does`,
      )
    }
    postAll(
      books,
      moves.map(({ debit, credit, sats }) => ({
        id: `payout/${payout}/void/${debit}/${credit}`,
        debit,
        credit,
        amountMsat: sats * MSAT_PER_SAT,
        code: 'payout_voided',
        entryIndex,
      })),
    )
    for (const { credit, sats } of moves) parts.withdrawals.giveBack(credit, sats * MSAT_PER_SAT)
    if (setVoided.run(payout).changes !== 1) throw new Error(`payout ${payout} is closed already`)
  }

  return (payout, payees, found) => {
    const transactions = found.map(({ raw }) => Transaction.fromBuffer(raw))
    const ins = transactions.flatMap((one) => one.ins)
    const outs = transactions.flatMap((one) => one.outs)
    const spends = found.map(({ txid, height }) => ({ txid, height }))
    const payments = payees.map(({ address, sats }) => {
      return { script: parseAddress(address, parts.network).script, sats }
    })
    const paid = paidPayees(outs, payments)
    const change = changeCoins(parts.payer)
    const spentSats = ins.reduce((sum, { hash, index }) => {
      const spent = txidText(hash)
      return sum + (selectDeposit.get(spent, index) ?? change.get(`${spent}:${index}`) ?? 0n)
    }, 0n)
    const entry = {
      v: 1,
      kind: 'void',
      payout,
      spends: spends.map(({ txid, height }) => ({ txid: txidBytes(txid), height })),
      spentSats,
      paid,
    } as const
    return record(books, entry, (entryIndex) => {
      const voided = { payout, spends, spentSats, paid, entryIndex }
      move(voided, payees)
      return voided
    })
  }
}
