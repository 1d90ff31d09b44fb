type LedgerErrorCode = 'account_unknown' // no kind of account has such names

/** An operating error of the ledger. A refused transfer is none: it is an answer. Match on `code`. */
export class LedgerError extends Error {
  override readonly name = 'LedgerError'
  readonly code: LedgerErrorCode

  constructor(code: LedgerErrorCode, message: string) {
    super(message)
    this.code = code
  }
}
