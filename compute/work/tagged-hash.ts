import { hash } from 'node:crypto'

/** A process uses a dozen tags; one that named others in a loop must not grow the table for ever. */
const MAX_CACHED_TAGS = 64
const prefixes = new Map<string, Uint8Array>()

export function sha256(bytes: Uint8Array): Uint8Array {
  return hash('sha256', bytes, 'buffer')
}

/** BIP-340: `SHA-256(SHA-256(tag) ‖ SHA-256(tag) ‖ parts)`, the tag in UTF-8. */
export function taggedHash(tag: string, ...parts: Uint8Array[]): Uint8Array {
  return sha256(Buffer.concat([prefixOf(tag), ...parts]))
}

function prefixOf(tag: string): Uint8Array {
  const cached = prefixes.get(tag)
  if (cached !== undefined) return cached
  const tagHash = sha256(Buffer.from(tag, 'utf8'))
  const prefix = Buffer.concat([tagHash, tagHash])
  if (prefixes.size >= MAX_CACHED_TAGS) prefixes.clear()
  prefixes.set(tag, prefix)
  return prefix
}
