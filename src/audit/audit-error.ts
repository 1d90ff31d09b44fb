type AuditErrorCode = 'anchors_malformed' | 'anchors_too_many'

/** An operating error of an audit; what an audit finds is in its report. Match on `code`. */
export class AuditError extends Error {
  override readonly name = 'AuditError'
  readonly code: AuditErrorCode

  constructor(code: AuditErrorCode, message: string, cause?: unknown) {
    super(message, { cause })
    this.code = code
  }
}
