import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { signSchnorr, verifySchnorr } from '@bitcoinerlab/secp256k1'

/** @param auxRand BIP-340's auxiliary randomness, 32 bytes */
export function signHash(
  hash: Uint8Array,
  secretKey: Uint8Array,
  auxRand: Uint8Array = randomBytes(32),
): Uint8Array {
  return signSchnorr(hash, secretKey, auxRand)
}

/** False for whatever is not a signature by that x-only key, a malformed key or signature included. */
export function checkHashSignature(hash: Uint8Array, publicKey: Uint8Array, signature: Uint8Array): boolean {
  assert(hash.length === 32)
  try {
    return verifySchnorr(hash, publicKey, signature)
  } catch {
    // The library throws where BIP-340 says "fail": on lengths, points and scalars out of range.
    return false
  }
}
