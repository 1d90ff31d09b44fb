import type { AccountName } from '../ledger/accounts.ts'

/** Whom the log owes something that may be paid. */
export interface Owed {
  readonly account: AccountName
  readonly address: string
  readonly thresholdSats: bigint
  /** Null: all that is there. */
  readonly atMostMsat: bigint | null
}
