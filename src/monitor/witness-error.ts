type WitnessErrorCode =
  | 'witness_unreachable'
  | 'witness_refused' // it doesn't know the log or its key, or can't read the request
  | 'witness_malformed' // its answer is none that the protocol knows
  | 'witness_ahead' // it cosigned more entries than this log has: an old copy runs here
  | 'witness_conflict' // what it cosigned is no beginning of this log: the log forked
  | 'witness_busy' // its head moved twice while it was asked
  | 'cosignature_missing' // none by its key
  | 'cosignature_invalid'

/** Why a witness did not cosign. Match on `code`. */
export class WitnessError extends Error {
  override readonly name = 'WitnessError'
  readonly code: WitnessErrorCode

  constructor(code: WitnessErrorCode, message: string, cause?: unknown) {
    super(message, { cause })
    this.code = code
  }
}
