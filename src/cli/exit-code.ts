import { ClientError } from '../client/ask-coordinator.ts'

/** Exit codes of every command (DESIGN §10). */
export const EXIT = { ok: 0, checkFailed: 1, usage: 2, environment: 3 } as const
export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** A command's own refusal: what is wrong and what to do, for the terminal. */
export class CliError extends Error {
  readonly exitCode: ExitCode
  readonly code: string

  constructor(exitCode: ExitCode, code: string, message: string, cause?: unknown) {
    super(message, { cause })
    this.exitCode = exitCode
    this.code = code
  }
}

const USAGE_CODES = /^(config_|address_|receipt_id_|key_|log_key_|repository_|subnet_)/

/** The one place where errors become exit codes: arguments and configuration are usage, all else the environment. */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof CliError) return error.exitCode
  // What a coordinator refuses was asked wrongly; that it doesn't answer, or can't, is the environment.
  if (error instanceof ClientError) {
    const asked = error.status !== null && error.status < 500 && error.status !== 401
    return asked ? EXIT.usage : EXIT.environment
  }
  const code = codeOf(error)
  return USAGE_CODES.test(code) ? EXIT.usage : EXIT.environment
}

/**
 * Our own codes are lower-case, the system's such as ENOSPC, EAI_AGAIN and SQLITE_FULL; ERR_ASSERTION and
 * SQLITE_ERROR are bugs, as is what has no code.
 */
const EXPECTED_CODE =
  /^([a-z][a-z0-9_]*|E[A-Z0-9]+|EAI_[A-Z]+|SQLITE_(BUSY|CANTOPEN|CORRUPT|FULL|IOERR|NOTADB|READONLY)(_[A-Z]+)*)$/

/** `internal`: a bug. */
export function codeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : null
  return typeof code === 'string' && EXPECTED_CODE.test(code) ? code : 'internal'
}
