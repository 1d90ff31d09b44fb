type NoteErrorCode =
  | 'key_malformed' // a key name or verifier key against the signed-note rules
  | 'note_malformed'
  | 'signature_invalid' // a known key's signature doesn't verify
  | 'signature_unknown' // no signature by a known key

/** An operating error of signed notes. Match on `code`. */
export class NoteError extends Error {
  override readonly name = 'NoteError'
  readonly code: NoteErrorCode

  constructor(code: NoteErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
