import assert from 'node:assert'
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { NoteError } from './note-error.ts'
import { ED25519_KEY_BYTES, ED25519_TYPE, formatKeyId, isKeyName, keyIdOf } from './note-key.ts'

/** RFC 8410 §7: everything of a PKCS #8 Ed25519 private key but its 32-byte seed. */
const PKCS8_ED25519_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex')

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
