type SpoolErrorCode = 'spool_in_use' | 'spool_unreadable' | 'spool_unwritable'

export class SpoolError extends Error {
  readonly code: SpoolErrorCode

  constructor(code: SpoolErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'SpoolError'
    this.code = code
  }
}
