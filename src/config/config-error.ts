type ConfigErrorCode = 'config_unreadable' | 'config_malformed' | 'config_unknown_key' | 'config_invalid'

/** `key`: the dotted key at fault (`anchor.capSats`), null where the file as a whole is. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly code: ConfigErrorCode
  readonly key: string | null

  constructor(code: ConfigErrorCode, key: string | null, message: string, cause?: unknown) {
    super(message, { cause })
    this.code = code
    this.key = key
  }
}
