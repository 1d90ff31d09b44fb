import type { Request, RequestHandler } from 'express'
import { ipKeyGenerator, rateLimit } from 'express-rate-limit'
import type { Config } from '../config/config-schema.ts'
import type { ApiKeys } from '../coordinator/api-keys.ts'
import { RefusedError } from '../coordinator/refused-error.ts'

const WINDOW_MS = 60_000
/** What watches whether we live must not be told that it asks too often. */
const EXEMPT = new Set(['/healthz', '/readyz'])

/**
 * How much each may ask in a minute: by its API key, or by its address. Workers count by their address, since whose
 * signature it is is known only once the body is read. Throws RefusedError 429 `rate_limited`, with Retry-After.
 */
export function rateLimits({ limits }: Config, apiKeys: ApiKeys): RequestHandler {
  const reads = limitOf('reads', limits.readsPerMinute)
  const requests = limitOf('requests', limits.requestsPerMinute)
  return (request, response, next) => {
    if (!isReading(request)) requests(request, response, next)
    else if (EXEMPT.has(request.path)) next()
    else reads(request, response, next)
  }

  function limitOf(identifier: string, limit: number): RequestHandler {
    return rateLimit({
      identifier,
      limit,
      windowMs: WINDOW_MS,
      standardHeaders: 'draft-8',
      legacyHeaders: false,
      keyGenerator: nameOf,
      handler: (_request, _response, next) =>
        next(
          new RefusedError(429, 'rate_limited', `at most ${limit} ${identifier} a minute; see Retry-After`),
        ),
    })
  }

  /** A key that nobody has is as good as none: else each made-up one would have a budget of its own. */
  function nameOf(request: Request): string {
    const key = apiKeys.lookUp(request.headers.authorization)
    return key === null ? ipKeyGenerator(request.ip ?? '') : `${key.role}/${key.name}`
  }
}

function isReading({ method }: Request): boolean {
  return method === 'GET' || method === 'HEAD'
}
