import assert from 'node:assert'
import { createPrivateKey, createPublicKey, hash, type KeyObject } from 'node:crypto'
import { decodeCanonicalBase64 } from './canonical-base64.ts'
import { NoteError } from './note-error.ts'

/** C2SP signed-note: the signature type of plain Ed25519, the only one that we make or check. */
const ED25519_TYPE = 0x01

const ED25519_KEY_BYTES = 32

/** RFC 8410 §7: everything of a PKCS #8 Ed25519 private key but its 32-byte seed. */
const PKCS8_ED25519_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex')

/** Who may sign: name and key ID pick the signatures that `publicKey` has to verify. */
export interface NoteVerifier {
  readonly name: string
  readonly keyId: number
  readonly publicKey: KeyObject
}

export interface NoteSigner {
  readonly name: string
  readonly keyId: number
  readonly privateKey: KeyObject
  /** `<name>+<key ID in hex>+<base64(type ‖ public key)>`: what those who check are given. */
  readonly verifierKey: string
}

/**
 * The signer of key `name` from its 32-byte Ed25519 seed.
 *
 * @throws NoteError `key_malformed` for a name that notes can't carry
 */
export function noteSigner(name: string, seed: Uint8Array): NoteSigner {
  assert(seed.length === ED25519_KEY_BYTES, 'an Ed25519 seed has 32 bytes')
  if (!isKeyName(name)) throw new NoteError('key_malformed', `not a key name: ${JSON.stringify(name)}`)
  const privateKey = createPrivateKey({
    key: Buffer.concat([PKCS8_ED25519_PREFIX, seed]),
    format: 'der',
    type: 'pkcs8',
  })
  const { x } = createPublicKey(privateKey).export({ format: 'jwk' })
  assert(x !== undefined, 'an Ed25519 JWK has x')
  const typedKey = Buffer.concat([Uint8Array.of(ED25519_TYPE), Buffer.from(x, 'base64url')])
  const keyId = keyIdOf(name, typedKey)
  return {
    name,
    keyId,
    privateKey,
    verifierKey: `${name}+${formatKeyId(keyId)}+${typedKey.toString('base64')}`,
  }
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

function keyIdOf(name: string, typedKey: Uint8Array): number {
  return hash('sha256', Buffer.concat([Buffer.from(`${name}\n`), typedKey]), 'buffer').readUInt32BE()
}

function formatKeyId(keyId: number): string {
  return keyId.toString(16).padStart(8, '0')
}
