import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { isPrivate, xOnlyPointFromScalar } from '@bitcoinerlab/secp256k1'

/** A secret key, 32 bytes. */
export function newWorkerKey(): Uint8Array {
  const secretKey = randomBytes(32)
  // 0 and n and above have odds of 2^-128 (BIP-340): a bug or a broken random source, never chance.
  assert(isPrivate(secretKey))
  return secretKey
}

/** BIP-340's x-only public key, 32 bytes. */
export function publicKeyOf(secretKey: Uint8Array): Uint8Array {
  return xOnlyPointFromScalar(secretKey)
}
