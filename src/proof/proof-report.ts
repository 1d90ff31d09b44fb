/** In the order of the way from the receipt to the chain. */
export const CHECK_NAMES = [
  'format',
  'receipt',
  'submission',
  'receipt_path',
  'submission_signature',
  'log_path',
  'checkpoint_signature',
  'commitment',
  'transaction',
  'branch',
  'header_pow',
  'header_chain',
] as const

export type CheckName = (typeof CHECK_NAMES)[number]

export interface ProofCheck {
  readonly name: CheckName
  /** null: not checked, since a check that it needs failed or the reader gave no headers. */
  readonly ok: boolean | null
  readonly detail: string
}

/** What a proof says, and how far it holds. Fields are null where the proof couldn't be read so far. */
export interface ProofReport {
  /** No check failed. */
  readonly ok: boolean
  /** Every check passed, against the reader's own headers too: the receipt existed when that block was mined. */
  readonly existed: boolean
  readonly checks: readonly ProofCheck[]
  /** The first check that failed. */
  readonly failed: CheckName | null
  /** Keys that only the proof vouches for: whose log and whose seal it is, the reader didn't say. */
  readonly unpinned: readonly ('logKey' | 'internalKey')[]
  /** Hex, as `job` and `worker`. */
  readonly receiptId: string | null
  readonly job: string | null
  readonly worker: string | null
  readonly origin: string | null
  /** Entries in the anchored log. */
  readonly size: number | null
  readonly anchorIndex: number | null
  /** Hex as bitcoind shows it. */
  readonly txid: string | null
  readonly height: number | null
  readonly blockTimeUnix: number | null
}
