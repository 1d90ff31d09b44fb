import { readFileSync } from 'node:fs'

/** A file of test/vectors; `{"hex": "…"}` in it stands for bytes, `{"int": "…"}` for money. */
export function readVector<T>(name: string): T {
  const text = readFileSync(new URL(`../../vectors/${name}.json`, import.meta.url), 'utf8')
  return JSON.parse(text, (_key, value) =>
    isHex(value) ? fromHex(value.hex) : isInt(value) ? BigInt(value.int) : value,
  )
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

function isInt(value: unknown): value is { int: string } {
  return typeof value === 'object' && value !== null && 'int' in value && typeof value.int === 'string'
}
