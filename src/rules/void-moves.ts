import type { AccountName } from '../ledger/accounts.ts'

interface Owed {
  readonly account: AccountName
  readonly sats: bigint
}

interface VoidMove {
  readonly debit: AccountName
  readonly credit: AccountName
  readonly sats: bigint
}

/**
 * What a voided payout moves: the payees at `paid` have what they were to get, the others are owed it again.
 * The treasury shrinks by `spentSats`, the coins of its that are gone; what of them paid nobody is lost, and
 * what the payments exceed them by was somebody's gift.
 */
export function voidMoves(
  /** The payout's own. */
  debit: AccountName,
  payees: readonly Owed[],
  { paid, spentSats }: { paid: readonly number[]; spentSats: bigint },
): VoidMove[] {
  const isPaid = new Set(paid)
  const owed = payees.filter((_payee, position) => !isPaid.has(position))
  const sum = (some: readonly Owed[]) => some.reduce((total, { sats }) => total + sats, 0n)
  const paidSats = sum(payees) - sum(owed)
  const fromTreasurySats = paidSats < spentSats ? paidSats : spentSats
  const moves: VoidMove[] = [
    ...owed.map(({ account, sats }) => ({ debit, credit: account, sats })),
    { debit, credit: 'treasury', sats: fromTreasurySats },
    { debit, credit: 'reserve', sats: paidSats - fromTreasurySats },
    { debit: 'lost', credit: 'treasury', sats: spentSats - fromTreasurySats },
  ]
  return moves.filter(({ sats }) => sats > 0n)
}
