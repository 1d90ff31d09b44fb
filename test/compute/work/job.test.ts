import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encodeCbor } from '../../../compute/work/canonical-cbor.ts'
import type { Job, OriginRecord } from '../../../compute/work/job.ts'
import {
  encodeJob,
  encodeOriginRecord,
  inputCommitment,
  jobId,
  originCommitment,
  parseJob,
  parseOriginRecord,
} from '../../../compute/work/job.ts'
import { bundleDigest } from '../../../compute/work/tensor-bundle.ts'
import { fromHex, readVector, toHex } from './read-vector.ts'

const vector = readVector<{
  inputSalt: string
  inputBundle: string
  originSalt: string
  originRecords: { record: OriginRecord; bytes: string; commitment: string }[]
  job: Job
  bytes: string
  id: string
}>('job')
const refused = expect.objectContaining({ name: 'JobError', code: 'job_malformed' })
const bytesOf = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })

describe('job', () => {
  test('has the bytes, id and input commitment of the vector', () => {
    expect(toHex(encodeJob(vector.job))).toBe(vector.bytes)
    expect(toHex(jobId(fromHex(vector.bytes)))).toBe(vector.id)
    const digest = bundleDigest(fromHex(vector.inputBundle))
    expect(toHex(inputCommitment(fromHex(vector.inputSalt), digest))).toBe(toHex(vector.job.input))
  })

  test('parses to what was encoded', () => {
    const jobs = fc.record({
      v: fc.constant(1 as const),
      subnet: fc.stringMatching(/^[a-z0-9-]{1,64}$/),
      model: bytesOf(32),
      input: bytesOf(32),
      origin: bytesOf(32),
      items: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
      deadline: fc.maxSafeNat(),
      nonce: bytesOf(16),
    })
    fc.assert(
      fc.property(jobs, (job) => {
        expect(parseJob(encodeJob(job))).toEqual(job)
      }),
    )
  })

  test.each<[string, object]>([
    ['another version', { v: 2 }],
    ['an unknown key', { more: 0 }],
    ['an empty subnet', { subnet: '' }],
    ['a subnet of 65 letters', { subnet: 'a'.repeat(65) }],
    ['capitals in the subnet', { subnet: 'Digits' }],
    ['a line feed after the subnet', { subnet: 'digits\n' }],
    ['a model of 31 bytes', { model: new Uint8Array(31) }],
    ['a model in text', { model: '00'.repeat(32) }],
    ['an input of 33 bytes', { input: new Uint8Array(33) }],
    ['an origin of no bytes', { origin: new Uint8Array(0) }],
    ['a nonce of 32 bytes', { nonce: new Uint8Array(32) }],
    ['no items', { items: 0 }],
    ['negative items', { items: -1 }],
    ['items above 2^53 − 1', { items: 2n ** 53n }],
    ['a negative deadline', { deadline: -1 }],
    ['a deadline in text', { deadline: '0' }],
    ['more than 1,024 bytes', { more: new Uint8Array(1_024) }],
  ])('refuses %s', (_what, change) => {
    expect(() => parseJob(encodeCbor({ ...vector.job, ...change }))).toThrow(refused)
  })

  test.each(Object.keys(vector.job))('refuses a job without %s', (key) => {
    const entries = Object.entries(vector.job).filter(([name]) => name !== key)
    expect(() => parseJob(encodeCbor(Object.fromEntries(entries)))).toThrow(refused)
  })

  test('refuses bytes that are no canonical CBOR, and names the field otherwise', () => {
    expect(() => parseJob(new Uint8Array(0))).toThrow(refused)
    expect(() => parseJob(Buffer.concat([encodeJob(vector.job), Buffer.alloc(1)]))).toThrow(refused)
    expect(() => parseJob(encodeCbor({ ...vector.job, nonce: new Uint8Array(1) }))).toThrow(
      /nonce: expected 16 bytes/,
    )
  })
})

describe('origin record', () => {
  test.each(vector.originRecords)('$record.kind has the bytes and commitment of the vector', (expected) => {
    const bytes = encodeOriginRecord(expected.record)
    expect(toHex(bytes)).toBe(expected.bytes)
    expect(parseOriginRecord(bytes)).toEqual(expected.record)
    expect(toHex(originCommitment(fromHex(vector.originSalt), bytes))).toBe(expected.commitment)
  })

  test.each<[string, unknown]>([
    ['an unknown kind', { kind: 'gift' }],
    ['the fields of two kinds', { kind: 'canary', known: new Uint8Array(32), item: 1 }],
    ['a dataset without an item', { kind: 'dataset', dataset: new Uint8Array(32) }],
    ['a negative item', { kind: 'dataset', dataset: new Uint8Array(32), item: -1 }],
    ['a requester whom no account can be called', { kind: 'request', requester: 'acme/matured' }],
    ['a list', []],
  ])('refuses %s', (_what, value) => {
    expect(() => parseOriginRecord(encodeCbor(value))).toThrow(refused)
  })
})
