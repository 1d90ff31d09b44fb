type ModelErrorCode = 'model_unavailable' | 'model_wrong_bytes' | 'model_too_large'

/** The model's file could not be had. */
export class ModelError extends Error {
  override readonly name = 'ModelError'
  readonly code: ModelErrorCode

  constructor(code: ModelErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
