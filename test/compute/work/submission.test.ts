import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encodeCbor } from '../../../compute/work/canonical-cbor.ts'
import type { SubmissionHeader } from '../../../compute/work/submission.ts'
import {
  checkSubmissionSignature,
  encodeHeader,
  parseHeader,
  signSubmission,
  submissionId,
} from '../../../compute/work/submission.ts'
import { fromHex, readVector, toHex } from './read-vector.ts'

interface Vector {
  header: SubmissionHeader
  bytes: string
  id: string
  signature: string
}
const vector = readVector<{ secretKey: string; origin: string; submissions: [Vector, Vector] }>('submission')
const [{ header: good, bytes: goodBytes, signature: goodSignature }] = vector.submissions
const refused = expect.objectContaining({ name: 'SubmissionError', code: 'submission_malformed' })

describe('submission header', () => {
  test.each(vector.submissions)('has the bytes, id and signature of vector %#', (expected) => {
    const bytes = encodeHeader(expected.header)
    expect(toHex(bytes)).toBe(expected.bytes)
    expect(toHex(submissionId(bytes))).toBe(expected.id)
    expect(checkSubmissionSignature(bytes, vector.origin, fromHex(expected.signature))).toBe(true)
  })

  test('parses to what was encoded', () => {
    const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 })
    const headers = fc.record({
      v: fc.constant(1 as const),
      worker: bytes32,
      sequence: fc.maxSafeNat(),
      previous: bytes32,
      count: fc.integer({ min: 1, max: 65_536 }),
      root: bytes32,
      time: fc.maxSafeNat(),
    })
    fc.assert(
      fc.property(headers, (header) => {
        expect(parseHeader(encodeHeader(header))).toEqual(header)
      }),
    )
  })

  test.each<[string, object]>([
    ['another version', { v: 2 }],
    ['an unknown key', { more: 0 }],
    ['a key of 33 bytes', { worker: new Uint8Array(33) }],
    ['a negative sequence', { sequence: -1 }],
    ['a null previous', { previous: null }],
    ['a count of 0', { count: 0 }],
    ['a count of 65,537', { count: 65_537 }],
    ['a root of 64 bytes', { root: new Uint8Array(64) }],
    ['a time above 2^53 − 1', { time: 2n ** 53n }],
    ['more than 512 bytes', { more: new Uint8Array(512) }],
  ])('refuses %s', (_what, change) => {
    expect(() => parseHeader(encodeCbor({ ...good, ...change }))).toThrow(refused)
  })

  test.each(Object.keys(good))('refuses a header without %s', (key) => {
    const entries = Object.entries(good).filter(([name]) => name !== key)
    expect(() => parseHeader(encodeCbor(Object.fromEntries(entries)))).toThrow(refused)
  })
})

describe('submission signature', () => {
  test('is made by the secret key of the worker that the header names', () => {
    const header = encodeHeader(good)
    const signature = signSubmission(header, vector.origin, fromHex(vector.secretKey))
    expect(checkSubmissionSignature(header, vector.origin, signature)).toBe(true)
  })

  test('does not count in another log', () => {
    expect(checkSubmissionSignature(fromHex(goodBytes), `${vector.origin}2`, fromHex(goodSignature))).toBe(
      false,
    )
  })

  test('does not count for another header, nor another worker', () => {
    const later = encodeHeader({ ...good, time: good.time + 1 })
    expect(checkSubmissionSignature(later, vector.origin, fromHex(goodSignature))).toBe(false)
    const stolen = encodeHeader({ ...good, worker: fromHex(vector.submissions[0].id) })
    expect(checkSubmissionSignature(stolen, vector.origin, fromHex(goodSignature))).toBe(false)
  })

  test('of a header that can not be read is refused', () => {
    expect(() => checkSubmissionSignature(new Uint8Array(3), vector.origin, fromHex(goodSignature))).toThrow(
      refused,
    )
  })
})
