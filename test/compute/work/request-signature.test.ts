import { describe, expect, test } from 'vitest'
import {
  checkGrant,
  checkRequest,
  openRequestSession,
  parseRequestSignature,
} from '../../../compute/work/request-signature.ts'
import { newWorkerKey, publicKeyOf } from '../../../compute/work/worker-key.ts'
import { fromHex, readVector, toHex } from './read-vector.ts'

const vector = readVector<{
  secretKey: string
  publicKey: string
  origin: string
  request: { method: string; path: string; body: string; authorization: string }
}>('request')
const { authorization } = vector.request
const target = {
  origin: vector.origin,
  method: vector.request.method,
  path: vector.request.path,
  body: fromHex(vector.request.body),
}
const secretKey = fromHex(vector.secretKey)

describe('request signature', () => {
  test('reads and verifies the vector', () => {
    const signed = parseRequestSignature(authorization)
    expect(toHex(signed.key)).toBe(vector.publicKey)
    expect(signed.timeMs).toBe(1_760_000_000_123)
    expect(signed.untilMs).toBe(1_760_043_200_123)
    expect(checkGrant(target.origin, signed)).toBe(true)
    expect(checkRequest(target, signed)).toBe(true)
  })

  test('signs what it verifies, with a new nonce each time', () => {
    const session = openRequestSession(target.origin, secretKey, 9)
    const [first, second] = [1, 2].map(() => parseRequestSignature(session.sign(target, 5)))
    expect(first).toMatchObject({ timeMs: 5, untilMs: 9 })
    expect(first !== undefined && checkRequest(target, first)).toBe(true)
    expect(first !== undefined && checkGrant(target.origin, first)).toBe(true)
    expect(first?.nonce).not.toEqual(second?.nonce)
  })

  test.each([
    ['log', { ...target, origin: 'other.example/log' }],
    ['method', { ...target, method: 'GET' }],
    ['query', { ...target, path: '/v1/leases?x=2' }],
    ['body', { ...target, body: new Uint8Array(1) }],
  ])('does not count for another %s', (_what, other) => {
    expect(checkRequest(other, parseRequestSignature(authorization))).toBe(false)
  })

  test.each([
    ['session', { session: new Uint8Array(32).fill(7) }],
    ['time', { timeMs: 1 }],
    ['nonce', { nonce: new Uint8Array(16) }],
    ['signature', { signature: new Uint8Array(64) }],
  ])('does not count with another %s', (_what, change) => {
    expect(checkRequest(target, { ...parseRequestSignature(authorization), ...change })).toBe(false)
  })

  test.each([
    ['log', 'other.example/log', {}],
    ['key', vector.origin, { key: publicKeyOf(newWorkerKey()) }],
    ['session', vector.origin, { session: new Uint8Array(32).fill(7) }],
    ['end', vector.origin, { untilMs: 1 }],
    ['signature', vector.origin, { grant: new Uint8Array(64) }],
  ])('is not granted for another %s', (_what, origin, change) => {
    expect(checkGrant(origin, { ...parseRequestSignature(authorization), ...change })).toBe(false)
  })

  test.each([
    ['nothing', ''],
    ['another scheme', authorization.replace('Assay-Session', 'Bearer')],
    ['capital hex', authorization.replace(/key=[0-9a-f]+/, (key) => key.toUpperCase().replace('KEY', 'key'))],
    ['a short key', authorization.replace('key=', 'key=0').replace(/key=0../, 'key=')],
    ['fields in another order', authorization.replace(/(key=\w+),(session=\w+)/, '$2,$1')],
    ['an end with a leading zero', authorization.replace('until=', 'until=0')],
    ['an end above 2^53 − 1', authorization.replace(/until=\d+/, 'until=9007199254740992')],
    ['a time with a leading zero', authorization.replace('time=', 'time=0')],
    ['a negative time', authorization.replace('time=', 'time=-')],
    ['a time above 2^53 − 1', authorization.replace(/time=\d+/, 'time=9007199254740992')],
    ['a blank between fields', authorization.replaceAll(',', ', ')],
    ['more behind it', `${authorization}0`],
    ['a line feed behind it', `${authorization}\n`],
  ])('refuses %s', (_what, text) => {
    expect(text).not.toBe(authorization)
    expect(() => parseRequestSignature(text)).toThrow(
      expect.objectContaining({ name: 'RequestSignatureError', code: 'authorization_malformed' }),
    )
  })
})
