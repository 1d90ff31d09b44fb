import { readFileSync } from 'node:fs'

/** A file of test/vectors; `{"hex": "…"}` in it stands for bytes. */
export function readVector<T>(name: string): T {
  const text = readFileSync(new URL(`../../vectors/${name}.json`, import.meta.url), 'utf8')
  return JSON.parse(text, (_key, value) => (isHex(value) ? fromHex(value.hex) : value))
}

export function fromHex(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'hex'))
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

function isHex(value: unknown): value is { hex: string } {
  return typeof value === 'object' && value !== null && 'hex' in value && typeof value.hex === 'string'
}
