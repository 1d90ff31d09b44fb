type KeystoreErrorCode =
  | 'keystore_exists'
  | 'keystore_missing'
  | 'keystore_malformed'
  | 'keystore_unwritable'
  | 'passphrase_empty'
  | 'passphrase_wrong'
  | 'network_mismatch'
  | 'mnemonic_invalid'

export class KeystoreError extends Error {
  override readonly name = 'KeystoreError'
  readonly code: KeystoreErrorCode

  constructor(code: KeystoreErrorCode, message: string, cause?: unknown) {
    super(message, { cause })
    this.code = code
  }
}
