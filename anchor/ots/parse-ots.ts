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
import {
  type Attestation,
  applyOp,
  MAX_DEPTH,
  MAX_MESSAGE_BYTES,
  MAX_OTS_BYTES,
  MAX_PAYLOAD_BYTES,
  type Op,
  type Timestamp,
} from './timestamp.ts'

/**
 * The tree in a detached OpenTimestamps file (`.ots`) over a SHA-256 digest, every message in it computed.
 * Operations and attestations may come in any order, as other programs write them. Throws OtsError.
 */
export function parseOts(bytes: Uint8Array): Timestamp {
  if (bytes.length > MAX_OTS_BYTES) throw new OtsError('ots_too_long', `a file of ${bytes.length} bytes`)
  const reader = new Reader(bytes)
  if (!MAGIC.equals(reader.bytes(MAGIC.length)))
    throw new OtsError('ots_malformed', 'not an OpenTimestamps file')
  const version = reader.byte()
  if (version !== MAJOR_VERSION) throw new OtsError('ots_unsupported', `version ${version}`)
  const fileHash = reader.byte()
  if (fileHash !== OP_TAGS.sha256)
    throw new OtsError('ots_unsupported', `a file hash other than SHA-256: ${fileHash}`)
  const timestamp = readTimestamp(reader, reader.bytes(32), 0)
  if (!reader.isAtEnd()) throw new OtsError('ots_trailing', 'bytes after the proof')
  return timestamp
}

/** Reads forward only, within the bytes. */
class Reader {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  isAtEnd(): boolean {
    return this.#at === this.#bytes.length
  }

  bytes(length: number): Uint8Array {
    const read = this.#bytes.slice(this.#at, this.#at + length)
    if (read.length < length) throw new OtsError('ots_malformed', 'cut short')
    this.#at += length
    return read
  }

  byte(): number {
    return this.bytes(1)[0] ?? 0
  }

  /** LEB128 in its shortest form, below 2^49: heights and lengths. */
  varUint(): number {
    let value = 0
    for (let scale = 1; scale < 2 ** 49; scale *= 128) {
      const byte = this.byte()
      value += (byte & 0x7f) * scale
      if (byte < 0x80) {
        if (byte === 0 && scale > 1)
          throw new OtsError('ots_malformed', 'a number longer than it needs to be')
        return value
      }
    }
    throw new OtsError('ots_malformed', 'a number that is too large')
  }

  varBytes(maxLength: number): Uint8Array {
    const length = this.varUint()
    if (length > maxLength)
      throw new OtsError('ots_too_long', `${length} bytes where ${maxLength} are allowed`)
    return this.bytes(length)
  }
}

function readTimestamp(reader: Reader, message: Uint8Array, depth: number): Timestamp {
  if (depth > MAX_DEPTH) throw new OtsError('ots_too_deep', `more than ${MAX_DEPTH} operations in a row`)
  const timestamp: Timestamp = { message, attestations: [], ops: [] }
  for (let isLast = false; !isLast; ) {
    const first = reader.byte()
    isLast = first !== FORK_TAG
    const tag = isLast ? first : reader.byte()
    if (tag === ATTESTATION_TAG) {
      timestamp.attestations.push(readAttestation(reader))
    } else {
      const op = readOp(reader, tag)
      timestamp.ops.push({ op, timestamp: readTimestamp(reader, applyOp(op, message), depth + 1) })
    }
  }
  return timestamp
}

function readOp(reader: Reader, tag: number): Op {
  const kind = (Object.keys(OP_TAGS) as Op['kind'][]).find((name) => OP_TAGS[name] === tag)
  if (kind === undefined)
    throw new OtsError('ots_unsupported', `operation 0x${tag.toString(16).padStart(2, '0')}`)
  if (kind !== 'append' && kind !== 'prepend') return { kind }
  const argument = reader.varBytes(MAX_MESSAGE_BYTES)
  if (argument.length === 0) throw new OtsError('ots_malformed', 'nothing to append or prepend')
  return { kind, argument }
}

function readAttestation(reader: Reader): Attestation {
  const tag = reader.bytes(ATTESTATION_TAG_BYTES)
  const payload = reader.varBytes(MAX_PAYLOAD_BYTES)
  if (!BITCOIN_TAG.equals(tag)) return { kind: 'other', tag, payload }
  const inside = new Reader(payload)
  const height = inside.varUint()
  if (!inside.isAtEnd()) throw new OtsError('ots_malformed', 'more than a height in a Bitcoin attestation')
  return { kind: 'bitcoin', height }
}
