import { createPublicKey, hash, type KeyObject } from 'node:crypto'
import { decodeCanonicalBase64 } from './canonical-base64.ts'
import { NoteError } from './note-error.ts'

/** C2SP signed-note: the signature type of plain Ed25519, the only one that we make or check. */
export const ED25519_TYPE = 0x01

export const ED25519_KEY_BYTES = 32

/** Who may sign: name and key ID pick the signatures that `publicKey` has to verify. */
export interface NoteVerifier {
  readonly name: string
  readonly keyId: number
  readonly publicKey: KeyObject
}

/**
 * Parses a C2SP verifier key of type Ed25519.
 *
 * @throws NoteError `key_malformed`
 */
export function parseVerifierKey(verifierKey: string): NoteVerifier {
  // Base64 may hold a plus, a name and a key ID may not.
  const match = /^(?<name>[^+]+)\+(?<keyIdHex>[0-9a-f]{8})\+(?<base64>.+)$/s.exec(verifierKey)
  const { name = '', keyIdHex = '', base64 = '' } = match?.groups ?? {}
  const typedKey = decodeCanonicalBase64(base64)
  if (!isKeyName(name) || typedKey?.length !== 1 + ED25519_KEY_BYTES || typedKey[0] !== ED25519_TYPE) {
    throw new NoteError('key_malformed', 'not an Ed25519 verifier key: <name>+<key ID>+<base64>')
  }
  const keyId = keyIdOf(name, typedKey)
  if (formatKeyId(keyId) !== keyIdHex) {
    throw new NoteError(
      'key_malformed',
      `the verifier key of ${name} has key ID ${formatKeyId(keyId)}, not ${keyIdHex}`,
    )
  }
  const x = Buffer.from(typedKey.subarray(1)).toString('base64url')
  return {
    name,
    keyId,
    publicKey: createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' }),
  }
}

/** C2SP signed-note: not empty, well-formed, no Unicode space, no plus; and nothing that a note can't carry. */
export function isKeyName(name: string): boolean {
  return name !== '' && name.isWellFormed() && !/[\p{White_Space}\p{Cc}+]/u.test(name)
}

/** The first four bytes of SHA-256(name LF typed key), which choose among keys of one name. */
export function keyIdOf(name: string, typedKey: Uint8Array): number {
  return hash('sha256', Buffer.concat([Buffer.from(`${name}\n`), typedKey]), 'buffer').readUInt32BE()
}

export function formatKeyId(keyId: number): string {
  return keyId.toString(16).padStart(8, '0')
}
