type LogErrorCode =
  | 'bundle_malformed'
  | 'checkpoint_malformed'
  | 'entry_too_large'
  | 'log_corrupt' // stored hashes don't follow from the stored entries
  | 'log_foreign' // the database holds a log of another origin or key
  | 'out_of_range' // an entry, tile or tree size that this log doesn't have
  | 'proof_invalid'
  | 'tile_path_malformed'

/** An operating error of the log. Match on `code`. */
export class LogError extends Error {
  override readonly name = 'LogError'
  readonly code: LogErrorCode

  constructor(code: LogErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
