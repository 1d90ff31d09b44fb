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

/** What lay behind another run in a process was asked back before it began: it is to be run elsewhere. */
export class WithdrawnError extends Error {
  override readonly name = 'WithdrawnError'
  readonly code = 'withdrawn'
}
