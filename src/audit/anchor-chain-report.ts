import type { Method, Outpoint } from '../../anchor/anchor-transaction.ts'
import type { AnchorCheckError } from '../../anchor/check-anchor-transaction.ts'
import type { NetworkName } from '../../anchor/network.ts'

/** In the order in which they are made: of the genesis, then of one anchor after the other, then of the last seal. */
export const CHECK_NAMES = [
  'genesis',
  'log_genesis',
  'log_key',
  'index',
  'checkpoint',
  'transaction',
  'seal',
  'commitment',
  'append_only',
  'branch',
  'header_pow',
  'heights',
  'header_chain',
  'last_seal',
] as const

export type CheckName = (typeof CHECK_NAMES)[number]

export type BreakCode =
  | AnchorCheckError['code'] // wrong_spender, op_return_missing, tweak_mismatch, …
  | 'genesis_malformed'
  | 'genesis_mismatch' // not entry 0 of the log
  | 'log_key_mismatch' // genesis names another key than the reader expects
  | 'index_gap'
  | 'checkpoint_signature'
  | 'not_append_only'
  | 'log_incomplete' // the log doesn't serve what its anchor commits to
  | 'branch_mismatch'
  | 'header_pow'
  | 'height_order' // mined before the anchor whose seal it spends
  | 'header_unknown' // not in the chain that the reader trusts
  | 'seal_spent' // the chain of seals goes on, or was broken, past the last anchor shown

/** Where the chain of seals breaks. */
export interface Break {
  readonly code: BreakCode
  /** Its place in the file, from 0; null: not of one anchor. */
  readonly anchor: number | null
  readonly detail: string
}

/** One check over all anchors. */
export interface ChainCheck {
  readonly name: CheckName
  /** null: not made, or not at every anchor. */
  readonly ok: boolean | null
  readonly detail: string
  /** The first of this check. */
  readonly break: Break | null
}

/** Fields are null where the genesis can't be read. */
export interface AnchorChainReport {
  /** No check failed. */
  readonly ok: boolean
  /** Every check passed, against all that the reader could bring: chain, log and key. */
  readonly complete: boolean
  /** The first of all, on the way from genesis. */
  readonly break: Break | null
  readonly checks: readonly ChainCheck[]
  readonly origin: string | null
  readonly network: NetworkName | null
  readonly method: Method | null
  readonly anchors: number
  /** Entries in the log under the last anchor. */
  readonly size: number | null
  /** Of the block that holds the last anchor. */
  readonly height: number | null
  /** The coin that the next anchor has to spend. */
  readonly seal: Outpoint | null
}
