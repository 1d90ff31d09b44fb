import { type AccountName, parseAccount } from '../ledger/accounts.ts'

/** The ledger once more, without a database: what every account holds after the entries so far. */
export interface Balances {
  /** @returns false where it leaves an account below zero that may not be */
  move(debit: AccountName, credit: AccountName, msat: bigint): boolean
  of(account: AccountName): bigint
  all(): ReadonlyMap<string, bigint>
}

export function openBalances(): Balances {
  const balances = new Map<string, bigint>()
  /** A name is read once, not in each of a million movements. */
  const normals = new Map<string, 'debit' | 'credit'>()

  function add(account: AccountName, side: 'debit' | 'credit', msat: bigint): boolean {
    const normal = normals.get(account) ?? parseAccount(account).normal
    normals.set(account, normal)
    const after = (balances.get(account) ?? 0n) + (normal === side ? msat : -msat)
    balances.set(account, after)
    return normal === 'debit' || after >= 0n
  }

  return {
    move(debit, credit, msat) {
      const [paid, received] = [add(debit, 'debit', msat), add(credit, 'credit', msat)]
      return paid && received
    },
    of: (account) => balances.get(account) ?? 0n,
    all: () => balances,
  }
}
