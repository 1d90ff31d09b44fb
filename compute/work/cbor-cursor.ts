import { isUtf8 } from 'node:buffer'

const MAJOR = { integer: 0, bytes: 2, text: 3, list: 4, map: 5 } as const
type Major = keyof typeof MAJOR

export type CborCursor = ReturnType<typeof cborCursor>

/** Reads canonical CBOR (docs/PROTOCOL.md §1) head by head and copies nothing: `refuse` throws for whatever is not there as expected. */
export function cborCursor(bytes: Uint8Array, refuse: (detail: string) => never) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let offset = 0

  /** The argument of the next head, which must be of that kind and in its shortest form. */
  function head(kind: Major): number {
    if (offset >= bytes.length) refuse('ends inside a value')
    const first = view.getUint8(offset++)
    if (first >> 5 !== MAJOR[kind]) refuse(`expected ${kind}`)
    const info = first & 0x1f
    if (info < 24) return info
    const size = 2 ** (info - 24)
    if (info > 27 || offset + size > bytes.length) refuse('ends inside a head')
    const value = argument(size)
    offset += size
    const least = size === 1 ? 24 : 2 ** (4 * size)
    if (value < least || value > Number.MAX_SAFE_INTEGER) refuse('a number that is not in its shortest form')
    return value
  }

  function argument(size: number): number {
    if (size === 1) return view.getUint8(offset)
    if (size === 2) return view.getUint16(offset)
    if (size === 4) return view.getUint32(offset)
    return view.getUint32(offset) * 2 ** 32 + view.getUint32(offset + 4)
  }

  /** A view of the next so many bytes. */
  function take(count: number): Uint8Array {
    if (count > bytes.length - offset) refuse('ends inside bytes or text')
    offset += count
    return new Uint8Array(bytes.buffer, bytes.byteOffset + offset - count, count)
  }

  function text(): string {
    const taken = take(head('text'))
    if (!isUtf8(taken)) refuse('text that is not UTF-8')
    return Buffer.from(taken.buffer, taken.byteOffset, taken.length).toString('utf8')
  }

  return {
    integer: () => head('integer'),
    text,
    bytes: () => take(head('bytes')),
    /** Its length; the members follow. */
    list: () => head('list'),
    /** Exactly this many keys; they and their values follow. */
    map(keys: number): void {
      if (head('map') !== keys) refuse(`expected a map of ${keys} keys`)
    },
    key(name: string): void {
      if (text() !== name) refuse(`expected the key ${name}`)
    },
    end(): void {
      if (offset !== bytes.length) refuse('bytes after the value')
    },
  }
}
