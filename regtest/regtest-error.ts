export type RegtestErrorCode =
  | 'bitcoind_unavailable' // none given, none found, none could be fetched; the message says what to do
  | 'bitcoind_checksum_mismatch' // the download is not the pinned release
  | 'bitcoind_download_failed'
  | 'bitcoind_start_failed'
  | 'bitcoind_exited' // it ended before it answered; the message holds its last words
  | 'cache_lock_timeout' // another process has been fetching bitcoind for too long
  | 'regtest_funds_short' // the chain's subsidy is used up

export class RegtestError extends Error {
  override readonly name = 'RegtestError'
  readonly code: RegtestErrorCode

  constructor(code: RegtestErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.code = code
  }
}
