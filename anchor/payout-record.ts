import type { TreasuryCoin } from './payout-transaction.ts'

export interface PayoutOutput {
  address: string
  valueSats: bigint
}

/**
 * pinned: its coins are taken, nothing is signed · prepared: final bytes kept · broadcast: the node took it ·
 * confirmed: in the best chain · settled: deep enough, never judged again.
 */
type PayoutState = 'pinned' | 'prepared' | 'broadcast' | 'confirmed' | 'settled'

/** A payout as others read it. While it is pinned there are no outputs, and size, fee and change are 0. */
export interface PayoutRecord {
  id: string
  state: PayoutState
  totalSats: bigint
  /** In the order of spending; the first is the pinned input. */
  inputs: TreasuryCoin[]
  /** In the transaction's order, the change left out: it comes last. */
  outputs: PayoutOutput[]
  changeSats: bigint
  feeSats: bigint
  vsize: number
  /** null while pinned; hex as bitcoind shows it. */
  txid: string | null
  /** Full bytes; null while pinned. */
  raw: Uint8Array | null
  /** null unless confirmed or settled. */
  height: number | null
  /** Why it doesn't go forward, for people. */
  trouble: string | null
}
