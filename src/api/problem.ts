import type { ErrorRequestHandler, Response } from 'express'
import { RefusedError } from '../coordinator/refused-error.ts'

/** RFC 9457 problem details; `code` is what clients match on, `extensions` say more. */
export interface Problem {
  readonly status: number
  readonly code: string
  readonly detail: string
  readonly extensions?: Readonly<Record<string, unknown>>
}

/** Statuses of errors that the formats' own parsers throw, by code; every other coded error of theirs is the sender's 400. */
const STATUS_BY_CODE: Readonly<Record<string, number>> = {
  cbor_too_large: 413,
  blob_too_large: 413,
  blob_name_invalid: 404,
  out_of_range: 404,
  tile_path_malformed: 404,
  ots_needs_op_return: 409,
  payout_closed: 409,
  input_unspent: 409,
  spend_not_final: 409,
  spend_is_payment: 409,
  nothing_to_sign: 404,
  blob_corrupt: 500,
  blob_unwritable: 507,
}

/** Of bitcoind: the sender did nothing wrong. */
const NODE = /^(rpc|node)_|^(wrong_network|block_pruned|pin_missing)$/

/** Codes that say that we are at fault, or the machine, and that a sender must not be told more of. */
const INTERNAL = /^(SQLITE_|ERR_|E[A-Z]+$)/

/** The one place where errors become statuses. What has no stable code is a bug: 500, and its text stays here. */
export function problemOf(error: unknown): Problem {
  if (error instanceof RefusedError) {
    const { status, code, message: detail, extensions } = error
    return { status, code, detail, extensions }
  }
  if (error instanceof Error) {
    // Express's and body-parser's own: a path that can't be decoded, broken gzip, a body over the limit.
    if ('status' in error && typeof error.status === 'number' && error.status >= 400 && error.status < 500) {
      const code = error.status === 413 ? 'body_too_large' : 'request_malformed'
      return { status: error.status, code, detail: error.message }
    }
    if ('code' in error && typeof error.code === 'string' && !INTERNAL.test(error.code)) {
      const status = STATUS_BY_CODE[error.code] ?? (NODE.test(error.code) ? 503 : 400)
      return { status, code: error.code, detail: error.message }
    }
  }
  return { status: 500, code: 'internal', detail: 'an internal error; the operator finds it in the log' }
}

function sendProblem(response: Response, problem: Problem): void {
  const { status, code, detail, extensions } = problem
  response
    .status(status)
    .type('application/problem+json')
    .send(
      JSON.stringify({
        type: 'about:blank',
        title: code.replaceAll('_', ' '),
        status,
        code,
        detail,
        ...extensions,
      }),
    )
}

/** The last middleware: every refusal is answered alike; what is our fault or the machine's reaches `onBug`. */
export function problemHandler(onBug: (error: unknown) => void): ErrorRequestHandler {
  return (error, _request, response, next) => {
    const problem = problemOf(error)
    if (problem.status >= 500 && !(error instanceof RefusedError)) onBug(error)
    if (response.headersSent) next(error)
    else sendProblem(response, problem)
  }
}
