import assert from 'node:assert/strict'
import { z } from 'zod'
import { encodeCbor } from './canonical-cbor.ts'
import { bytes32, bytesOf, integer, parseRecord, plainName } from './record.ts'
import { taggedHash } from './tagged-hash.ts'

const MAX_JOB_BYTES = 1_024
/** A requester's name is its only open text. */
const MAX_ORIGIN_BYTES = 1_024

const jobSchema = z.strictObject({
  v: z.literal(1),
  subnet: plainName,
  /** SHA-256 of the ONNX file. */
  model: bytes32,
  /** `inputCommitment` of the input bundle. */
  input: bytes32,
  /** `originCommitment` of the origin record. */
  origin: bytes32,
  /** Rows in the batch. */
  items: integer.min(1),
  /** Unix ms. */
  deadline: integer,
  nonce: bytesOf(16),
})

const originSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('dataset'), dataset: bytes32, item: integer }),
  z.strictObject({ kind: z.literal('request'), requester: plainName }),
  z.strictObject({ kind: z.literal('canary'), known: bytes32 }),
])

/** docs/PROTOCOL.md §3, field by field. */
export type Job = z.infer<typeof jobSchema>
/** Where a job came from; hidden from the worker behind a salt until settlement. */
export type OriginRecord = z.infer<typeof originSchema>

export class JobError extends Error {
  readonly code = 'job_malformed'

  constructor(detail: string, cause: Error) {
    super(`job or origin record: ${detail}`, { cause })
    this.name = 'JobError'
  }
}

export function encodeJob(job: Job): Uint8Array {
  const bytes = encodeCbor(job)
  assert(bytes.length <= MAX_JOB_BYTES)
  return bytes
}

export function parseJob(bytes: Uint8Array): Job {
  return parseRecord(jobSchema, bytes, MAX_JOB_BYTES, (detail, cause) => new JobError(detail, cause))
}

export function jobId(job: Uint8Array): Uint8Array {
  return taggedHash('assay/job', job)
}

/** @param inputDigest SHA-256 of the input bundle */
export function inputCommitment(salt: Uint8Array, inputDigest: Uint8Array): Uint8Array {
  return taggedHash('assay/input', salt, inputDigest)
}

/** @param origin an encoded origin record */
export function originCommitment(salt: Uint8Array, origin: Uint8Array): Uint8Array {
  return taggedHash('assay/origin', salt, origin)
}

export function encodeOriginRecord(origin: OriginRecord): Uint8Array {
  const bytes = encodeCbor(origin)
  assert(bytes.length <= MAX_ORIGIN_BYTES)
  return bytes
}

export function parseOriginRecord(bytes: Uint8Array): OriginRecord {
  return parseRecord(originSchema, bytes, MAX_ORIGIN_BYTES, (detail, cause) => new JobError(detail, cause))
}
