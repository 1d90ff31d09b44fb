import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { MAX_SESSION_MS, openRequestSession } from '../../../compute/work/request-signature.ts'
import { newWorkerKey, publicKeyOf } from '../../../compute/work/worker-key.ts'
import { createAuthenticator, noteArrival } from '../../../src/api/authenticate.ts'

const NOW_MS = 1_800_000_000_000
const SKEW_MS = 60_000
const BODY_MS = 90_000
const BODY = Uint8Array.of(0x80)
const ORIGIN = 'assay.example/log'
const PATH = '/v1/leases?x=1'
const secretKey = newWorkerKey()

beforeEach(() => {
  vi.useFakeTimers({ now: NOW_MS, toFake: ['Date'] })
})
afterEach(() => {
  vi.useRealTimers()
})

function signed(
  timeMs: number,
  { path = PATH, key = secretKey, origin = ORIGIN, untilMs = NOW_MS + MAX_SESSION_MS } = {},
) {
  const session = openRequestSession(origin, key, untilMs)
  const authorization = session.sign({ method: 'POST', path, body: BODY }, timeMs)
  return { method: 'POST', originalUrl: PATH, headers: { authorization } }
}

/** As the application notes it before it reads a body; the middleware looks at nothing of the request. */
function arrived<T extends object>(request: T): T {
  Reflect.apply(noteArrival, null, [request, null, () => {}])
  return request
}

test('a signed request tells whose it is', () => {
  const key = createAuthenticator(() => ORIGIN).authenticate(signed(NOW_MS), BODY)
  expect(Buffer.from(key)).toEqual(Buffer.from(publicKeyOf(secretKey)))
})

test.each([
  [-SKEW_MS, null],
  [SKEW_MS, null],
  [-SKEW_MS - 1, 'request_expired'],
  [SKEW_MS + 1, 'request_expired'],
])('a clock that is %i ms off: %s', (offMs, code) => {
  const authenticate = () => createAuthenticator(() => ORIGIN).authenticate(signed(NOW_MS + offMs), BODY)
  if (code === null) expect(authenticate).not.toThrow()
  else expect(authenticate).toThrow(expect.objectContaining({ status: 401, code }))
})

test.each([
  [BODY_MS, null],
  [BODY_MS + 1, 'request_expired'],
])('a body that takes %i ms: %s', (tookMs, code) => {
  const request = arrived(signed(NOW_MS - SKEW_MS))
  vi.setSystemTime(NOW_MS + tookMs)
  const authenticate = () => createAuthenticator(() => ORIGIN).authenticate(request, BODY)
  if (code === null) expect(authenticate).not.toThrow()
  else expect(authenticate).toThrow(expect.objectContaining({ status: 401, code }))
})

test('a head that came too late is not saved by its arrival being noted', () => {
  const request = arrived(signed(NOW_MS - SKEW_MS - 1))
  expect(() => createAuthenticator(() => ORIGIN).authenticate(request, BODY)).toThrow(
    expect.objectContaining({ status: 401, code: 'request_expired' }),
  )
})

test.each([
  ['another method', { method: 'PUT' }],
  ['another path', { originalUrl: '/v1/results' }],
  ['another query', { originalUrl: '/v1/leases?x=2' }],
])('%s than was signed is refused', (_what, changes) => {
  const authenticate = () =>
    createAuthenticator(() => ORIGIN).authenticate({ ...signed(NOW_MS), ...changes }, BODY)
  expect(authenticate).toThrow(expect.objectContaining({ status: 401, code: 'signature_invalid' }))
})

test('a request that was signed for another log is refused', () => {
  const request = signed(NOW_MS, { origin: 'other.example/log' })
  expect(() => createAuthenticator(() => ORIGIN).authenticate(request, BODY)).toThrow(
    expect.objectContaining({ status: 401, code: 'signature_invalid' }),
  )
})

test('a request is replayed at no moment at which its time would still do', () => {
  const authenticator = createAuthenticator(() => ORIGIN)
  // Signed by the clock that is the furthest ahead: it would do for two minutes.
  const request = signed(NOW_MS + SKEW_MS)
  authenticator.authenticate(request, BODY)
  for (const laterMs of [0, 1, SKEW_MS, 2 * SKEW_MS - 1]) {
    vi.setSystemTime(NOW_MS + laterMs)
    // Other requests, so that what has aged is cleared away.
    authenticator.authenticate(signed(NOW_MS + laterMs), BODY)
    expect(() => authenticator.authenticate(request, BODY)).toThrow(
      expect.objectContaining({ status: 401, code: 'request_replayed' }),
    )
  }
  // A copy of the last moment, its body as slow as may be.
  vi.setSystemTime(NOW_MS + 2 * SKEW_MS)
  const copy = arrived({ ...request })
  vi.setSystemTime(NOW_MS + 2 * SKEW_MS + BODY_MS)
  authenticator.authenticate(signed(Date.now()), BODY)
  expect(() => authenticator.authenticate(copy, BODY)).toThrow(
    expect.objectContaining({ code: 'request_replayed' }),
  )
  vi.setSystemTime(NOW_MS + 2 * SKEW_MS + 1)
  expect(() => authenticator.authenticate(request, BODY)).toThrow(
    expect.objectContaining({ code: 'request_expired' }),
  )
})

test('a nonce is used up by its own key alone, and by no request that was refused', () => {
  const authenticator = createAuthenticator(() => ORIGIN)
  const request = signed(NOW_MS)
  const other = newWorkerKey()
  expect(() => authenticator.authenticate(request, Uint8Array.of(0x81))).toThrow(
    expect.objectContaining({ code: 'signature_invalid' }),
  )
  authenticator.authenticate(signed(NOW_MS, { key: other }), BODY)
  expect(() => authenticator.authenticate(request, BODY)).not.toThrow()
})

test.each([
  [-1, 'session_expired'],
  [0, null],
  [MAX_SESSION_MS + SKEW_MS, null],
  [MAX_SESSION_MS + SKEW_MS + 1, 'session_expired'],
])('a session that ends %i ms from now: %s', (fromNowMs, code) => {
  const request = signed(NOW_MS, { untilMs: NOW_MS + fromNowMs })
  const authenticate = () => createAuthenticator(() => ORIGIN).authenticate(request, BODY)
  if (code === null) expect(authenticate).not.toThrow()
  else expect(authenticate).toThrow(expect.objectContaining({ status: 401, code }))
})

test.each(['key', 'session', 'until', 'grant'])(
  'a good grant is no other that differs in its %s',
  (field) => {
    const authenticator = createAuthenticator(() => ORIGIN)
    const [first, second] = [signed(NOW_MS), signed(NOW_MS, { key: newWorkerKey(), untilMs: NOW_MS + 5 })]
    authenticator.authenticate(first, BODY)
    authenticator.authenticate(second, BODY)
    const part = (from: typeof first) =>
      from.headers.authorization.match(new RegExp(`${field}=\\w+`))?.[0] ?? ''
    const authorization = first.headers.authorization.replace(part(first), part(second))
    expect(authorization).not.toBe(first.headers.authorization)
    expect(() => authenticator.authenticate({ ...first, headers: { authorization } }, BODY)).toThrow(
      expect.objectContaining({ code: 'signature_invalid' }),
    )
  },
)
