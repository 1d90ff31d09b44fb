import type { Request, RequestHandler } from 'express'
import { ipKeyGenerator, rateLimit } from 'express-rate-limit'
import type { Config } from '../config/config-schema.ts'
import type { ApiKeys } from '../coordinator/api-keys.ts'
import { RefusedError } from '../coordinator/refused-error.ts'

const MINUTE = { ms: 60_000, words: 'a minute', skipFailedRequests: false }
/** What is refused takes no place in it: garbage keeps nobody out for so long. */
const HOUR = { ms: 3_600_000, words: 'an hour', skipFailedRequests: true }
/** What watches whether we live must not be told that it asks too often. */
const EXEMPT = new Set(['/healthz', '/readyz'])
/** As the router takes it. */
const REGISTRATION = /^\/v1\/workers\/?$/i

/**
 * How much each may ask: by its API key, or by its address. Workers count by their address, since whose signature it is
 * is known only once the body is read; and by how many keys they register, as keys are free, and each stands for every
 * item of a dataset. Throws RefusedError 429 `rate_limited`, with Retry-After.
 */
export function rateLimits({ limits }: Config, apiKeys: ApiKeys): RequestHandler {
  const reads = limitOf('reads', limits.readsPerMinute, MINUTE)
  const requests = limitOf('requests', limits.requestsPerMinute, MINUTE)
  const registrations = limitOf('registrations', limits.registrationsPerHour, HOUR)
  return (request, response, next) => {
    if (isReading(request)) {
      if (EXEMPT.has(request.path)) next()
      else reads(request, response, next)
    } else {
      requests(request, response, (error?: unknown) => {
        if (error === undefined && REGISTRATION.test(request.path)) registrations(request, response, next)
        else next(error)
      })
    }
  }

  function limitOf(
    what: string,
    limit: number,
    { ms, words, skipFailedRequests }: typeof MINUTE,
  ): RequestHandler {
    return rateLimit({
      limit,
      windowMs: ms,
      skipFailedRequests,
      // The next draft says the same, and takes a hash of the asker's name for it at each request.
      standardHeaders: 'draft-7',
      legacyHeaders: false,
      keyGenerator: nameOf,
      handler: (_request, _response, next) =>
        next(new RefusedError(429, 'rate_limited', `at most ${limit} ${what} ${words}; see Retry-After`)),
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
