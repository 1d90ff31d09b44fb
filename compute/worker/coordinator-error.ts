import { z } from 'zod'

/** RFC 9457, with the coordinator's `code` to match on. */
const problemSchema = z.looseObject({ code: z.string(), detail: z.string().default('') })

/**
 * The coordinator's refusal, by its own `code`, or one of ours: `unreachable`, `answer_malformed`,
 * `answer_too_large`, and `http_<status>` where an error says no more than that.
 */
export class CoordinatorError extends Error {
  readonly code: string
  /** HTTP status; 0 when no answer came. */
  readonly status: number
  /** The problem's further members. */
  readonly extensions: Readonly<Record<string, unknown>>

  constructor(
    o: { code: string; detail: string; status?: number; extensions?: Record<string, unknown> },
    options?: ErrorOptions,
  ) {
    super(`${o.code}: ${o.detail}`, options)
    this.name = 'CoordinatorError'
    this.code = o.code
    this.status = o.status ?? 0
    this.extensions = o.extensions ?? {}
  }

  /** Another attempt may fare better: no answer, a server's failure, or too many requests (RFC 6585 §4). */
  get isPassing(): boolean {
    return this.code === 'unreachable' || this.status >= 500 || this.status === 429
  }
}

export function readProblem(status: number, body: Uint8Array): CoordinatorError {
  const problem = problemSchema.safeParse(parseJson(body))
  if (!problem.success) {
    return new CoordinatorError({
      code: `http_${status}`,
      detail: `status ${status}, and not as a coordinator says it: is one there?`,
      status,
    })
  }
  const { code, detail, ...extensions } = problem.data
  return new CoordinatorError({ code, detail, status, extensions })
}

function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body).toString('utf8'))
  } catch {
    // A proxy's error page: the status has to do.
    return null
  }
}
