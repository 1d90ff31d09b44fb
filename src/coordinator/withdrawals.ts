import { type AccountName, parseAccount, requesterAccount } from '../ledger/accounts.ts'
import { MSAT_PER_SAT } from '../rules/msat-per-sat.ts'
import type { Books } from './books.ts'
import type { Owed } from './owed.ts'
import { RefusedError } from './refused-error.ts'

/**
 * What requesters want back of their deposits. Until a payout's entry takes it, it is a wish: it moves no money, keeps the
 * requester from spending it, and the next wish stands in its place.
 */
export interface Withdrawals {
  /**
   * Of what is neither spent, reserved nor `heldMsat`; 0 takes the wish back. Throws RefusedError 400
   * `withdrawal_malformed`, `withdrawal_below_threshold`, 409 `insufficient_funds`.
   */
  ask(requester: string, msat: bigint, heldMsat: bigint): void
  waitingMsat(requester: string): bigint
  waiting(): Owed[]
  /** Of an account that a payout pays, in its entry's transaction. */
  take(account: AccountName, msat: bigint): void
  /** Wished for again, as a payout that was to pay it is voided: in that entry's transaction. */
  giveBack(account: AccountName, msat: bigint): void
}

/** `thresholdSats`: the operator pays nobody less at a time. */
export function openWithdrawals(
  { db, ledger }: Books,
  { thresholdSats }: { thresholdSats: bigint },
): Withdrawals {
  const thresholdMsat = thresholdSats * MSAT_PER_SAT
  const select = db.prepare<[string], bigint>('SELECT msat FROM withdrawal WHERE requester = ?').pluck()
  const selectAll = db.prepare<[], { name: string; refund_address: string; msat: bigint }>(
    'SELECT name, refund_address, msat FROM withdrawal JOIN requester ON name = withdrawal.requester',
  )
  const replace = db.prepare(
    'INSERT INTO withdrawal (requester, msat) VALUES (?, ?) ON CONFLICT (requester) DO UPDATE SET msat = excluded.msat',
  )
  const remove = db.prepare('DELETE FROM withdrawal WHERE requester = ?')

  /** Whom a payout's account is of; null: no requester's. */
  function requesterOf(account: AccountName): string | null {
    const { kind, owner } = parseAccount(account)
    return kind === 'requester' ? owner : null
  }

  return {
    ask(requester, msat, heldMsat) {
      if (msat === 0n) {
        remove.run(requester)
        return
      }
      if (msat % MSAT_PER_SAT !== 0n) {
        throw new RefusedError(400, 'withdrawal_malformed', 'only whole satoshis are paid')
      }
      if (msat < thresholdMsat) {
        throw new RefusedError(
          400,
          'withdrawal_below_threshold',
          `nobody is paid less than ${thresholdMsat} msat at a time`,
        )
      }
      const availableMsat = ledger.balance(requesterAccount(requester)).availableMsat - heldMsat
      if (msat > availableMsat) {
        throw new RefusedError(409, 'insufficient_funds', `${availableMsat} msat can be paid back`, {
          extensions: { availableMsat: `${availableMsat}` },
        })
      }
      replace.run(requester, msat)
    },
    waitingMsat: (requester) => select.get(requester) ?? 0n,
    waiting: () =>
      selectAll.all().map(({ name, refund_address: address, msat }) => {
        return { account: requesterAccount(name), address, thresholdSats: 0n, atMostMsat: msat }
      }),
    take(account, msat) {
      const owner = requesterOf(account)
      if (owner === null) return
      // What a cap has left over may be too little for another payout: then it is there to be spent again.
      const leftMsat = (select.get(owner) ?? 0n) - msat
      if (leftMsat < thresholdMsat) remove.run(owner)
      else replace.run(owner, leftMsat)
    },
    giveBack(account, msat) {
      const owner = requesterOf(account)
      if (owner !== null) replace.run(owner, (select.get(owner) ?? 0n) + msat)
    },
  }
}
