type MonitorErrorCode =
  | 'answer_too_large'
  | 'checkpoint_missing' // no log is served there
  | 'entries_missing' // the log doesn't serve entries that its head covers
  | 'genesis_missing' // entry 0 names no key to be pinned
  | 'log_key_differs' // the state was kept under another key than the one given
  | 'log_unreadable'
  | 'state_malformed'
  | 'state_unreadable'

/** An operating error of reading a log from outside. Match on `code`. */
export class MonitorError extends Error {
  override readonly name = 'MonitorError'
  readonly code: MonitorErrorCode

  constructor(code: MonitorErrorCode, message: string, cause?: unknown) {
    super(message, { cause })
    this.code = code
  }
}
