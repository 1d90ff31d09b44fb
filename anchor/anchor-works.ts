import { type Attempt, isSigned, type SignedAttempt, sealOf } from './anchor-attempt.ts'
import type { AnchorStore } from './anchor-store.ts'
import type { Seal, TopUp } from './anchor-transaction.ts'
import type { ChainTip, Node } from './node.ts'
import { type AnchorPolicy, BLOCKS_PER_DAY } from './price-anchor.ts'
import type { AnchorSigner } from './sign-anchor.ts'

/** All that anchors are made of. */
export interface AnchorWorks {
  node: Node
  store: AnchorStore
  signer: AnchorSigner
  /** The log's name. */
  origin: string
  firstSeal: Seal
  policy: AnchorPolicy
  /** The log's head: of committed entries alone. */
  head: () => { size: number; root: Uint8Array }
  /** Coins of the anchor key's BIP-86 address. */
  topUps: () => Promise<readonly TopUp[]>
}

/** The seal for the next anchor to spend. */
export function sealAfter({ firstSeal }: Pick<AnchorWorks, 'firstSeal'>, last: SignedAttempt | null): Seal {
  return last === null ? firstSeal : sealOf(last)
}

export function feesOfDay(store: AnchorStore, tip: ChainTip): bigint {
  return store.feesAbove(tip.height - BLOCKS_PER_DAY)
}

export function txidsOf(attempts: readonly Attempt[]): string[] {
  return attempts.filter(isSigned).map(({ signed }) => signed.txid)
}
