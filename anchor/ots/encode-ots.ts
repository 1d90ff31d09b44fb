import assert from 'node:assert/strict'
import { OtsError } from './ots-error.ts'
import {
  ATTESTATION_TAG,
  ATTESTATION_TAG_BYTES,
  BITCOIN_TAG,
  FORK_TAG,
  MAGIC,
  MAJOR_VERSION,
  OP_TAGS,
} from './tags.ts'
import { type Attestation, MAX_DEPTH, MAX_OTS_BYTES, type Op, type Timestamp } from './timestamp.ts'

const FORK = Buffer.from([FORK_TAG])

/**
 * A detached OpenTimestamps file (`.ots`) for the file whose SHA-256 is `timestamp.message`. Attestations come
 * before operations, both sorted as the reference implementation sorts them. Throws OtsError.
 */
export function encodeOts(timestamp: Timestamp): Uint8Array {
  assert.equal(timestamp.message.length, 32, 'a SHA-256 digest')
  const head = Buffer.from([MAJOR_VERSION, OP_TAGS.sha256])
  const file = Buffer.concat([MAGIC, head, timestamp.message, encodeTimestamp(timestamp, 0)])
  if (file.length > MAX_OTS_BYTES) throw new OtsError('ots_too_long', `a file of ${file.length} bytes`)
  return new Uint8Array(file)
}

/** Something that belongs to a message, and what it is sorted by: its tag, then its value, without lengths. */
interface Part {
  key: Buffer
  bytes: Buffer
}

function encodeTimestamp({ attestations, ops }: Timestamp, depth: number): Buffer {
  assert(attestations.length + ops.length > 0, 'a timestamp without anything that vouches for it')
  if (depth > MAX_DEPTH) throw new OtsError('ots_too_deep', `more than ${MAX_DEPTH} operations in a row`)
  const vouchers = attestations.map(encodeAttestation).sort(comparePart)
  const ways = ops
    .map(({ op, timestamp }) => encodeWay(op, encodeTimestamp(timestamp, depth + 1)))
    .sort(comparePart)
  const parts = [...vouchers, ...ways].map(({ bytes }) => bytes)
  const last = parts.length - 1
  return Buffer.concat(parts.map((bytes, i) => (i < last ? Buffer.concat([FORK, bytes]) : bytes)))
}

function comparePart(a: Part, b: Part): number {
  return Buffer.compare(a.key, b.key) || Buffer.compare(a.bytes, b.bytes)
}

function encodeWay(op: Op, rest: Buffer): Part {
  const tag = Buffer.from([OP_TAGS[op.kind]])
  if (op.kind !== 'append' && op.kind !== 'prepend') return { key: tag, bytes: Buffer.concat([tag, rest]) }
  assert(op.argument.length > 0, 'nothing to append or prepend')
  return {
    key: Buffer.concat([tag, op.argument]),
    bytes: Buffer.concat([tag, encodeVarBytes(op.argument), rest]),
  }
}

function encodeAttestation(attestation: Attestation): Part {
  if (attestation.kind === 'bitcoin') {
    const height = Buffer.alloc(8)
    height.writeBigUInt64BE(BigInt(attestation.height))
    return attestationPart(BITCOIN_TAG, height, encodeVarUint(attestation.height))
  }
  assert.equal(attestation.tag.length, ATTESTATION_TAG_BYTES, 'the tag of an attestation')
  return attestationPart(attestation.tag, attestation.payload, attestation.payload)
}

function attestationPart(tag: Uint8Array, value: Uint8Array, payload: Uint8Array): Part {
  const bytes = Buffer.concat([Buffer.from([ATTESTATION_TAG]), tag, encodeVarBytes(payload)])
  return { key: Buffer.concat([tag, value]), bytes }
}

function encodeVarBytes(bytes: Uint8Array): Buffer {
  return Buffer.concat([encodeVarUint(bytes.length), bytes])
}

/** LEB128: seven bits a byte, the lowest first. */
function encodeVarUint(value: number): Buffer {
  const bytes: number[] = []
  let rest = value
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80)
  return Buffer.from([...bytes, rest])
}
