import assert from 'node:assert/strict'
import { decode, encode } from '@ipld/dag-cbor'

/** The deepest format here nests 4 levels; the decoder recurses, so depth is a limit on its stack. */
const MAX_DEPTH = 16
/** 64 MiB of one-byte values would decode into gigabytes; the longest list that a peer sends holds 65,536. */
export const MAX_VALUES = 1 << 20
/** For the lists of a whole epoch, made by the coordinator: those of 64 MiB hold fewer. */
export const MAX_EPOCH_VALUES = 1 << 23

type CborErrorCode = 'cbor_malformed' | 'cbor_too_large' | 'cbor_not_canonical'

export class CborError extends Error {
  readonly code: CborErrorCode

  constructor(code: CborErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'CborError'
    this.code = code
  }
}

/** DAG-CBOR of maps, lists, text, bytes, integers (number or bigint), booleans and null; anything else is a bug. */
export function encodeCbor(value: unknown, limit: { maxValues?: number } = {}): Uint8Array {
  const bytes = encode(value)
  const fault = findFault(bytes, limit.maxValues)
  assert(fault === null, fault ?? '')
  return bytes
}

/** The one value that `bytes` encode canonically (docs/PROTOCOL.md §1). Integers above 2^53 − 1 come as bigint. */
export function decodeCbor(bytes: Uint8Array, limit: { maxBytes: number; maxValues?: number }): unknown {
  if (bytes.length > limit.maxBytes) {
    throw new CborError('cbor_too_large', `${bytes.length} bytes, at most ${limit.maxBytes} are allowed`)
  }
  const fault = findFault(bytes, limit.maxValues)
  if (fault !== null) throw new CborError('cbor_malformed', fault)
  let value: unknown
  let again: Uint8Array
  try {
    value = decode(bytes)
    again = encode(value)
  } catch (cause) {
    // Well-formed by now: long forms of integers, keys that repeat or are no text.
    throw new CborError('cbor_not_canonical', cause instanceof Error ? cause.message : 'not DAG-CBOR', {
      cause,
    })
  }
  if (Buffer.compare(again, bytes) !== 0) {
    throw new CborError('cbor_not_canonical', 'the value does not re-encode to the same bytes')
  }
  return value
}

/** Walks the heads (RFC 8949 §3) without building values, so that limits hold before anything is allocated. */
function findFault(bytes: Uint8Array, maxValues = MAX_VALUES): string | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  /** For each open list or map, the values that it still lacks. */
  const lacking: number[] = []
  let offset = 0
  let values = 0
  do {
    if (++values > maxValues) return `more than ${maxValues} values`
    if (offset >= bytes.length) return 'ends inside a value'
    const head = view.getUint8(offset++)
    const major = head >> 5
    const info = head & 0x1f
    const argumentBytes = info < 24 ? 0 : 2 ** (info - 24)
    if (info > 27) return `indefinite length or reserved head 0x${head.toString(16)}`
    if (offset + argumentBytes > bytes.length) return 'ends inside a head'
    const argument = argumentBytes === 0 ? info : readUint(view, offset, argumentBytes)
    offset += argumentBytes
    const left = bytes.length - offset
    if (major === 2 || major === 3) {
      if (argument > left) return 'ends inside bytes or text'
      offset += argument
    } else if (major === 4 || major === 5) {
      const members = major === 4 ? argument : argument * 2
      if (members > left) return 'ends inside a list or map'
      if (members > 0) lacking.push(members + 1)
      if (lacking.length > MAX_DEPTH) return `nested deeper than ${MAX_DEPTH}`
    } else if (major === 6) {
      return 'tags are not allowed'
    } else if (major === 7 && head !== 0xf4 && head !== 0xf5 && head !== 0xf6) {
      return 'floats, undefined and other simple values are not allowed'
    }
    settle(lacking)
  } while (lacking.length > 0)
  return offset === bytes.length ? null : 'bytes after the value'
}

/** Counts one finished head, and every list or map that it completes. */
function settle(lacking: number[]): void {
  for (let top = lacking.pop(); top !== undefined; top = lacking.pop()) {
    if (top > 1) {
      lacking.push(top - 1)
      return
    }
  }
}

function readUint(view: DataView, offset: number, size: number): number {
  if (size === 1) return view.getUint8(offset)
  if (size === 2) return view.getUint16(offset)
  if (size === 4) return view.getUint32(offset)
  return view.getUint32(offset) * 2 ** 32 + view.getUint32(offset + 4)
}
