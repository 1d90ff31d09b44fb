export const RUN_ERROR_CODES = [
  'deadline_exceeded',
  'runner_died',
  'model_refused',
  'inputs_invalid',
  'provider_unavailable',
] as const

type RunErrorCode = (typeof RUN_ERROR_CODES)[number]

/** One job could not be run; the next one can be. */
export class RunError extends Error {
  override readonly name = 'RunError'
  readonly code: RunErrorCode

  constructor(code: RunErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
