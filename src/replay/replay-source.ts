import type { Node } from '../../anchor/node.ts'
import type { AnchorChainReport } from '../audit/anchor-chain-report.ts'
import type { LogRoots } from '../audit/log-roots.ts'
import type { Succession } from '../log/entry.ts'

/** Everything that a replay reads. Nothing in it is believed but the chain, which the reader brings. */
export interface ReplaySource {
  /** The log's head, as a signed note. */
  readonly checkpoint: string
  /** C2SP verifier key of the log that the reader means; null: the log's own genesis vouches for it. */
  readonly verifierKey: string | null
  /** All entries under the checkpoint, in order, as they are hashed. */
  entries(): AsyncIterable<Uint8Array>
  /** The bytes that hash to `digest`, those of a model at most `maxBytes`; null where they can't be had. */
  blob(digest: Uint8Array, maxBytes?: number): Promise<Uint8Array | null>
  /** Mined anchors in order. */
  readonly anchors: readonly MinedAnchor[]
  /**
   * Follows these as a chain of seals, in the reader's chain of blocks, over a log that begins so and has these roots: as many of
   * them as that chain can be asked for. Null: that is known already.
   */
  readonly followAnchors: ((log: LogRoots) => Pick<AnchorChainReport, 'anchors' | 'break'>) | null
  readonly chain: ReplayChain
  /** What the operator says of its books; null: nothing was asked. */
  readonly claims: Claims | null
  /**
   * Recomputes what a genesis that succeeds the log before has to name. Throws SuccessionError. Null: nobody said where that
   * log is.
   */
  readonly predecessor: (() => Promise<{ readonly succeeds: Succession }>) | null
}

interface MinedAnchor {
  readonly height: number
  /** Entries in the log that it commits to. */
  readonly size: number
}

export interface ReplayChain {
  readonly tipHeight: number
  /** Internal byte order; null above the tip and below 0. */
  blockHash(height: number): Promise<Uint8Array | null>
  /** Coins and transactions; null where there are headers alone. */
  readonly node: ChainNode | null
}

export type ChainNode = Pick<Node, 'blockAt' | 'blockTxids' | 'transactionInBlock' | 'txOut'>

/** GET /v1/status and /v1/accounts, as far as it can be held against the log. */
export interface Claims {
  /** Entries in the log when it was said. */
  readonly size: number
  readonly accounts: ReadonlyMap<string, bigint>
  /** By number. Where a payment is to be found is a hint; what it pays is read in the chain. */
  readonly payments: ReadonlyMap<number, ClaimedPayment>
}

export interface ClaimedPayment {
  readonly settled: boolean
  readonly txid: string | null
  readonly height: number | null
  /** Of both. */
  readonly feeSats: bigint
  /** What spends the payment's change and pays for both; null: nothing does. */
  readonly child: { readonly txid: string; readonly height: number | null } | null
}
