import { hash } from 'node:crypto'
import type { Request, RequestHandler } from 'express'
import { ipKeyGenerator } from 'express-rate-limit'
import type { Config } from '../config/config-schema.ts'
import type { ApiKeys } from '../coordinator/api-keys.ts'
import { RefusedError } from '../coordinator/refused-error.ts'

const MINUTE = { ms: 60_000, words: 'a minute' }
const HOUR = { ms: 3_600_000, words: 'an hour' }
/** What watches whether we live must not be told that it asks too often. */
const EXEMPT = new Set(['/healthz', '/readyz'])
/** As the router takes it. */
const REGISTRATION = /^\/v1\/workers\/?$/i

interface Window {
  readonly endsMs: number
  used: number
}

/**
 * How much each may ask: by its API key, or by its address. Workers count by their address, since whose signature it is is known
 * only once the body is read; and as keys are free, and each stands for every item of a dataset, by how many they register. Says what is left in RateLimit and RateLimit-Policy (draft 8 of IETF's
 * ratelimit-headers). Throws RefusedError 429 `rate_limited`, with Retry-After.
 */
export function rateLimits(
  { limits }: Pick<Config, 'limits'>,
  apiKeys: Pick<ApiKeys, 'lookUp'>,
): RequestHandler {
  const reads = limitOf('reads', limits.readsPerMinute, MINUTE)
  const requests = limitOf('requests', limits.requestsPerMinute, MINUTE)
  const registrations = limitOf('registrations', limits.registrationsPerHour, HOUR)
  return (request, response, next) => {
    if (isReading(request)) {
      if (EXEMPT.has(request.path)) next()
      else reads(request, response, next)
    } else if (REGISTRATION.test(request.path)) registrations(request, response, next)
    else requests(request, response, next)
  }

  function limitOf(what: string, limit: number, { ms, words }: typeof MINUTE): RequestHandler {
    const count = openWindows(ms)
    return (request, response, next) => {
      const name = nameOf(request)
      const { endsMs, used } = count(name)
      const seconds = Math.max(0, Math.ceil((endsMs - Date.now()) / 1_000))
      const partition = Buffer.from(hash('sha256', name).slice(0, 12)).toString('base64')
      response.setHeader('RateLimit', `"${what}"; r=${Math.max(0, limit - used)}; t=${seconds}`)
      response.setHeader('RateLimit-Policy', `"${what}"; q=${limit}; w=${ms / 1_000}; pk=:${partition}:`)
      if (used > limit) {
        response.setHeader('Retry-After', `${seconds}`)
        throw new RefusedError(429, 'rate_limited', `at most ${limit} ${what} ${words}; see Retry-After`)
      }
      next()
    }
  }

  /** A key that nobody has is as good as none: else each made-up one would have a budget of its own. */
  function nameOf(request: Request): string {
    const key = apiKeys.lookUp(request.headers.authorization)
    return key === null ? ipKeyGenerator(request.ip ?? '') : `${key.role}/${key.name}`
  }
}

/** Counts by name, for so long from the first. */
function openWindows(windowMs: number): (name: string) => Window {
  const windows = new Map<string, Window>()
  return (name) => {
    const now = Date.now()
    // Insertion order is age: what is over goes first.
    for (const [old, { endsMs }] of windows) {
      if (endsMs > now) break
      windows.delete(old)
    }
    const window = windows.get(name) ?? { endsMs: now + windowMs, used: 0 }
    windows.set(name, window)
    window.used += 1
    return window
  }
}

function isReading({ method }: Request): boolean {
  return method === 'GET' || method === 'HEAD'
}
