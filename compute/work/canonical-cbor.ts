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
  const { fault } = walk(bytes, limit.maxValues)
  assert(fault === null, fault ?? '')
  return bytes
}

/** The one value that `bytes` encode canonically (docs/PROTOCOL.md §1). Integers above 2^53 − 1 come as bigint. */
export function decodeCbor(bytes: Uint8Array, limit: { maxBytes: number; maxValues?: number }): unknown {
  if (bytes.length > limit.maxBytes) {
    throw new CborError('cbor_too_large', `${bytes.length} bytes, at most ${limit.maxBytes} are allowed`)
  }
  const { fault, isCanonical } = walk(bytes, limit.maxValues)
  if (fault !== null) throw new CborError('cbor_malformed', fault)
  let value: unknown
  let again: Uint8Array
  try {
    value = decode(bytes)
    // Encoding takes twice the time of decoding.
    again = isCanonical ? bytes : encode(value)
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

interface Walked {
  readonly fault: string | null
  /** Provided that dag-cbor decodes it, which refuses long forms and keys that are no text. False: to be seen by encoding again. */
  readonly isCanonical: boolean
}

/** A list or map whose end is not reached. */
interface Open {
  /** Values, a map's keys among them. */
  lacking: number
  /** Of a map, where its last key stands with its head; at first nowhere. */
  readonly lastKey: { start: number; end: number } | null
}

/** Walks the heads (RFC 8949 §3) without building values, so that limits hold before anything is allocated. */
function walk(bytes: Uint8Array, maxValues = MAX_VALUES): Walked {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const open: Open[] = []
  let isCanonical = true
  let offset = 0
  let values = 0
  do {
    if (++values > maxValues) return faulty(`more than ${maxValues} values`)
    if (offset >= bytes.length) return faulty('ends inside a value')
    const start = offset
    const head = view.getUint8(offset++)
    const major = head >> 5
    const info = head & 0x1f
    const argumentBytes = info < 24 ? 0 : 2 ** (info - 24)
    if (info > 27) return faulty(`indefinite length or reserved head 0x${head.toString(16)}`)
    if (offset + argumentBytes > bytes.length) return faulty('ends inside a head')
    const argument = argumentBytes === 0 ? info : readUint(view, offset, argumentBytes)
    offset += argumentBytes
    const left = bytes.length - offset
    const around = open.at(-1)
    if (major === 2 || major === 3) {
      if (argument > left) return faulty('ends inside bytes or text')
      if (major === 3 && !isPlainText(bytes, offset, offset + argument)) isCanonical = false
      offset += argument
    } else if (major === 4 || major === 5) {
      const members = major === 4 ? argument : argument * 2
      if (members > left) return faulty('ends inside a list or map')
      if (members > 0) open.push({ lacking: members + 1, lastKey: major === 4 ? null : { start: 0, end: 0 } })
      if (open.length > MAX_DEPTH) return faulty(`nested deeper than ${MAX_DEPTH}`)
    } else if (major === 6) {
      return faulty('tags are not allowed')
    } else if (major === 7 && head !== 0xf4 && head !== 0xf5 && head !== 0xf6) {
      return faulty('floats, undefined and other simple values are not allowed')
    }
    if (around !== undefined && around.lastKey !== null && around.lacking % 2 === 0) {
      const { lastKey } = around
      if (!isBefore(bytes, lastKey, { start, end: offset })) isCanonical = false
      lastKey.start = start
      lastKey.end = offset
    }
    settle(open)
  } while (open.length > 0)
  return offset === bytes.length ? { fault: null, isCanonical } : faulty('bytes after the value')
}

function faulty(fault: string): Walked {
  return { fault, isCanonical: false }
}

/** Counts one finished head, and every list or map that it completes. */
function settle(open: Open[]): void {
  for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
    if (--top.lacking > 0) return
    open.pop()
  }
}

function readUint(view: DataView, offset: number, size: number): number {
  if (size === 1) return view.getUint8(offset)
  if (size === 2) return view.getUint16(offset)
  if (size === 4) return view.getUint32(offset)
  return view.getUint32(offset) * 2 ** 32 + view.getUint32(offset + 4)
}

/** ASCII is what it is in UTF-8. `/` as a key may make dag-cbor take a map for a link. */
function isPlainText(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if ((bytes[i] ?? 0) >= 0x80) return false
  return end - start !== 1 || bytes[start] !== 0x2f
}

/** Encoded keys stand as their bytes sort, since a shorter one has the smaller head. */
function isBefore(
  bytes: Uint8Array,
  a: { start: number; end: number },
  b: { start: number; end: number },
): boolean {
  const length = Math.min(a.end - a.start, b.end - b.start)
  for (let i = 0; i < length; i++) {
    const difference = (bytes[a.start + i] ?? 0) - (bytes[b.start + i] ?? 0)
    if (difference !== 0) return difference < 0
  }
  return a.end - a.start < b.end - b.start
}
