import { sha256 } from '../../compute/work/tagged-hash.ts'
import type { EntryOf } from '../log/entry.ts'

/** C2SP signed-note: the signature types of plain Ed25519, and of tlog-cosignature's cosignature/v1. */
const ED25519_TYPE = 0x01
export const COSIGNATURE_TYPE = 0x04

const KEY_ID_BYTES = 4

/** C2SP signed-note: `<name>+<key ID in hex>+<base64(type ‖ public key)>`. */
export function encodeVerifierKey(name: string, typedKey: Uint8Array): string {
  const keyId = sha256(Buffer.concat([Buffer.from(`${name}\n`), typedKey])).subarray(0, KEY_ID_BYTES)
  return `${name}+${Buffer.from(keyId).toString('hex')}+${Buffer.from(typedKey).toString('base64')}`
}

/** The verifier key of the checkpoints, as a log's first entry fixes it. */
export function verifierKeyOf({ origin, logKey }: Pick<EntryOf<'genesis'>, 'origin' | 'logKey'>): string {
  return encodeVerifierKey(origin, Buffer.concat([Uint8Array.of(ED25519_TYPE), logKey]))
}
