import type { TreasuryCoin } from './payout-transaction.ts'

export interface PayoutOutput {
  address: string
  valueSats: bigint
}

/**
 * pinned: its coins are taken, nothing is made · prepared: an attempt is kept · broadcast: the node took one
 * · confirmed: one is in the best chain · settled: deep enough, never judged again · voided: an input went
 * into something else for good, so none can ever be mined.
 */
export type PayoutState = 'pinned' | 'prepared' | 'broadcast' | 'confirmed' | 'settled' | 'voided'

/** One transaction made for a payout: the payment itself, or a child that spends its change and pays for both. */
export interface PayoutAttempt {
  number: number
  /** Number of the payment whose change it spends; null for a payment. */
  parent: number | null
  /** Hex as bitcoind shows it. */
  txid: string
  vsize: number
  feeSats: bigint
  changeSats: bigint
  /** Height of the chain when it was made. */
  sinceHeight: number
  /** Final bytes; null while it waits for an external signature. */
  raw: Uint8Array | null
  /** Where it was last seen. */
  block: { height: number; blockHash: string } | null
}

/** A payout as others read it. While it is pinned there are no outputs and no attempts. */
export interface PayoutRecord {
  id: string
  state: PayoutState
  totalSats: bigint
  /** In the order of spending; the first is the pinned input. Of a voided payout those spent elsewhere. */
  inputs: TreasuryCoin[]
  /** In the transaction's order, the change left out: it comes last. */
  outputs: PayoutOutput[]
  /** Oldest first. */
  attempts: PayoutAttempt[]
  /** The attempt that the node holds or the chain shows, else the newest; null while pinned, and where voided. */
  payment: PayoutAttempt | null
  /** What spends its change and pays for both; null: nothing does. */
  child: PayoutAttempt | null
  /** Of payment and child together. */
  feeSats: bigint
  /** null unless confirmed or settled. */
  height: number | null
  /** Why it doesn't go forward, for people. */
  trouble: string | null
}
