import type { LogRoots } from './log-roots.ts'

/** What the reader of an anchors file knows by itself; what is left out isn't checked, and the report says so. */
export interface AnchorChainReader {
  /** The header at that height of a chain that the reader trusts, null where it has none. */
  readonly headerAt?: (height: number) => Uint8Array | null
  /** The log's C2SP verifier key. */
  readonly verifierKey?: string
  readonly log?: LogRoots
  /** Whether the seal that `lastSealOf` names is unspent in the reader's chain. */
  readonly lastSealUnspent?: boolean
}
