import type { EntryOf } from '../log/entry.ts'
import { ED25519_TYPE, formatKeyId, keyIdOf } from '../log/note-key.ts'

/** C2SP signed-note: the signature type of tlog-cosignature's cosignature/v1. */
export const COSIGNATURE_TYPE = 0x04

/** C2SP signed-note: `<name>+<key ID in hex>+<base64(type ‖ public key)>`. */
export function encodeVerifierKey(name: string, typedKey: Uint8Array): string {
  return `${name}+${formatKeyId(keyIdOf(name, typedKey))}+${Buffer.from(typedKey).toString('base64')}`
}

/** The verifier key of the checkpoints, as a log's first entry fixes it. */
export function verifierKeyOf({ origin, logKey }: Pick<EntryOf<'genesis'>, 'origin' | 'logKey'>): string {
  return encodeVerifierKey(origin, Buffer.concat([Uint8Array.of(ED25519_TYPE), logKey]))
}
