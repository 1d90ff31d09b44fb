import type { KeyObject } from 'node:crypto'
import type { Request, RequestHandler } from 'express'
import {
  checkGrant,
  checkRequest,
  MAX_SESSION_MS,
  parseRequestSignature,
  sessionKeyOf,
} from '../../compute/work/request-signature.ts'
import { RefusedError } from '../coordinator/refused-error.ts'

/** Clocks of workers and coordinator may differ by this much. */
const MAX_CLOCK_SKEW_MS = 60_000
/** From head to last byte: the server cuts requests after 60 s, and looks for those every 30 s. */
const MAX_BODY_MS = 90_000
/** The clock furthest ahead signs; a copy comes just in time by it, and its body as slowly as may be. */
const NONCE_LIFE_MS = 2 * MAX_CLOCK_SKEW_MS + MAX_BODY_MS
/** Some 2,800 requests a second for that long; beyond that, the flood is refused, not the memory spent. */
const MAX_NONCES = 600_000

/**
 * Sessions whose grant is known to be good, at 1.2 kB each, so that it costs one BIP-340 verification. Where more workers
 * than these ask by turns, each of them costs another now and then.
 */
const MAX_GRANTS = 10_000

type SignedRequest = Pick<Request, 'headers' | 'method' | 'originalUrl'>

const arrivalsMs = new WeakMap<SignedRequest, number>()

/** To be mounted before bodies are read: a signature's time is judged by when the request's head came, not its last byte. */
export const noteArrival: RequestHandler = (request, _response, next) => {
  arrivalsMs.set(request, Date.now())
  next()
}

interface Authenticator {
  /** The key that signed this request and its body, once. Throws RefusedError 401, RequestSignatureError. */
  authenticate(request: SignedRequest, body: Uint8Array): Uint8Array
}

/**
 * Worker requests are signed: method, path, body hash, time and nonce, for one log, by a session of the worker's (PROTOCOL §6).
 *
 * @param originOf the log's origin, asked for at each request: a coordinator has none before its log is open
 */
export function createAuthenticator(originOf: () => string): Authenticator {
  const seen = new Map<string, number>()
  const granted = new Map<string, KeyObject>()

  function grantedKey(signed: ReturnType<typeof parseRequestSignature>, now: number): KeyObject {
    if (signed.untilMs < now || signed.untilMs > now + MAX_SESSION_MS + MAX_CLOCK_SKEW_MS) {
      const detail = `its session ends at ${signed.untilMs}, not within ${MAX_SESSION_MS} ms of ours, ${now}`
      throw new RefusedError(401, 'session_expired', detail)
    }
    const { key, session, untilMs, grant } = signed
    const name = Buffer.concat([key, session, grant]).toString('base64') + untilMs
    const known = granted.get(name)
    if (known !== undefined) {
      // Insertion order is the order of use: who asked longest ago is forgotten first.
      granted.delete(name)
      granted.set(name, known)
      return known
    }
    if (!checkGrant(originOf(), signed)) {
      throw new RefusedError(401, 'signature_invalid', 'the session is not granted by its key for this log')
    }
    const [oldest] = granted.keys()
    if (granted.size >= MAX_GRANTS && oldest !== undefined) granted.delete(oldest)
    const sessionKey = sessionKeyOf(signed)
    granted.set(name, sessionKey)
    return sessionKey
  }

  function remember(nonce: string, now: number): void {
    // Insertion order is age: what has outlived every valid request goes first.
    for (const [old, expires] of seen) {
      if (expires >= now) break
      seen.delete(old)
    }
    if (seen.has(nonce)) throw new RefusedError(401, 'request_replayed', 'this nonce was used before')
    if (seen.size >= MAX_NONCES) throw new RefusedError(503, 'busy', 'too many requests in the last minutes')
    seen.set(nonce, now + NONCE_LIFE_MS)
  }

  return {
    authenticate(request, body) {
      const { authorization } = request.headers
      if (authorization === undefined) {
        throw new RefusedError(401, 'authorization_missing', 'the request must be signed by a worker key')
      }
      const signed = parseRequestSignature(authorization)
      const now = Date.now()
      const arrivedMs = arrivalsMs.get(request) ?? now
      if (Math.abs(arrivedMs - signed.timeMs) > MAX_CLOCK_SKEW_MS) {
        const detail = `its time is over ${MAX_CLOCK_SKEW_MS} ms from ours, ${arrivedMs}`
        throw new RefusedError(401, 'request_expired', detail)
      }
      if (now - arrivedMs > MAX_BODY_MS) {
        throw new RefusedError(401, 'request_expired', `its body took over ${MAX_BODY_MS} ms`)
      }
      const sessionKey = grantedKey(signed, now)
      const { method, originalUrl: path } = request
      if (!checkRequest({ origin: originOf(), method, path, body }, signed, sessionKey)) {
        throw new RefusedError(
          401,
          'signature_invalid',
          'the request is not signed by its session for this log',
        )
      }
      // Only after the signature: nobody can fill the memory with other people's nonces.
      remember(`${Buffer.from(signed.key).toString('hex')}${Buffer.from(signed.nonce).toString('hex')}`, now)
      return signed.key
    },
  }
}
