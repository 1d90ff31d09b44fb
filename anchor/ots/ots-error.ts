type OtsErrorCode =
  | 'ots_malformed' // cut short, another version, or a value in a form that nobody writes
  | 'ots_too_long' // file, message or attestation
  | 'ots_too_deep'
  | 'ots_trailing' // bytes after the proof
  | 'ots_unsupported' // an operation or a file hash that this program doesn't know
  | 'ots_digest_mismatch' // the proof is about another file

export class OtsError extends Error {
  override readonly name = 'OtsError'
  readonly code: OtsErrorCode

  constructor(code: OtsErrorCode, message: string) {
    super(message)
    this.code = code
  }
}
