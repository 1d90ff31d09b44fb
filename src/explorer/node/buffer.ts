/** What the checks use of Node's Buffer, for browsers: the verifier runs unchanged. */
type Encoding = 'utf8' | 'latin1' | 'hex' | 'base64' | 'base64url'

class Bytes extends Uint8Array {
  override toString(encoding: Encoding = 'utf8', start = 0, end = this.length): string {
    const bytes = this.subarray(start, end)
    switch (encoding) {
      case 'hex':
        return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
      case 'latin1':
        return latin1Of(bytes)
      case 'base64':
        return btoa(latin1Of(bytes))
      case 'base64url':
        return btoa(latin1Of(bytes)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
      default:
        return new TextDecoder().decode(bytes)
    }
  }

  equals(other: Uint8Array): boolean {
    return compare(this, other) === 0
  }

  override indexOf(wanted: number | Uint8Array, from = 0): number {
    if (typeof wanted === 'number') return super.indexOf(wanted, from)
    for (let at = from; at + wanted.length <= this.length; at += 1) {
      if (wanted.every((byte, i) => this[at + i] === byte)) return at
    }
    return -1
  }

  readUInt16BE(offset = 0): number {
    return viewOf(this).getUint16(offset)
  }

  readUInt32BE(offset = 0): number {
    return viewOf(this).getUint32(offset)
  }

  writeUInt16BE(value: number, offset = 0): number {
    viewOf(this).setUint16(offset, value)
    return offset + 2
  }
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength)
}

function latin1Of(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join('')
}

/** As Node's, lenient: hex ends at the first that is none, base64 takes both alphabets. */
function decode(text: string, encoding: Encoding): Bytes {
  switch (encoding) {
    case 'hex': {
      const [digits] = /^(?:[0-9a-f]{2})*/i.exec(text) ?? ['']
      return Bytes.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16)) as Bytes
    }
    case 'latin1':
      return Bytes.from(text, (character) => character.charCodeAt(0)) as Bytes
    case 'base64':
    case 'base64url':
      return decode(atob(text.replaceAll('-', '+').replaceAll('_', '/').replace(/=*$/, '')), 'latin1')
    default:
      return new Bytes(new TextEncoder().encode(text))
  }
}

function compare(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i += 1) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0)
    if (difference !== 0) return Math.sign(difference)
  }
  return Math.sign(a.length - b.length)
}

function from(text: string, encoding?: Encoding): Bytes
function from(bytes: ArrayLike<number>): Bytes
function from(buffer: ArrayBufferLike, byteOffset: number, length: number): Bytes
function from(
  source: string | ArrayLike<number> | ArrayBufferLike,
  encodingOrOffset: Encoding | number = 'utf8',
  length?: number,
): Bytes {
  if (typeof source === 'string') {
    return decode(source, typeof encodingOrOffset === 'number' ? 'utf8' : encodingOrOffset)
  }
  if ('length' in source) return new Bytes(source)
  return new Bytes(source as ArrayBuffer, Number(encodingOrOffset), length)
}

function concat(parts: readonly Uint8Array[]): Bytes {
  const joined = new Bytes(parts.reduce((length, part) => length + part.length, 0))
  let at = 0
  for (const part of parts) {
    joined.set(part, at)
    at += part.length
  }
  return joined
}

export const Buffer = {
  from,
  concat,
  compare,
  alloc: (length: number) => new Bytes(length),
  byteLength: (text: string) => new TextEncoder().encode(text).length,
}
export type Buffer = Bytes
