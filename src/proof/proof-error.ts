type ProofErrorCode =
  | 'proof_malformed'
  | 'anchor_not_mined' // there is no proof yet
  | 'proof_invalid' // its links don't lead to its block
  | 'ots_needs_op_return' // OpenTimestamps can't express a taproot tweak
  | 'headers_unreadable'

export class ProofError extends Error {
  override readonly name = 'ProofError'
  readonly code: ProofErrorCode

  constructor(code: ProofErrorCode, message: string, cause?: unknown) {
    super(message, { cause })
    this.code = code
  }
}
