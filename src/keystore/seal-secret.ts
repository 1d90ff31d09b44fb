/** A secret under a passphrase: scrypt (RFC 7914) gives the key, XChaCha20-Poly1305 seals, the header is its associated data. */
import { randomBytes, scrypt } from 'node:crypto'
import { xchacha20poly1305 } from '@noble/ciphers/chacha.js'
import { KeystoreError } from './keystore-error.ts'

interface ScryptCost {
  readonly n: number
  readonly r: 8
  readonly p: 1
}

export const SALT_BYTES = 32
export const NONCE_BYTES = 24

export function newSalt(): Uint8Array {
  return Uint8Array.from(randomBytes(SALT_BYTES))
}

export function newNonce(): Uint8Array {
  return Uint8Array.from(randomBytes(NONCE_BYTES))
}

/** 32 bytes, after tens of milliseconds to seconds on a thread of the pool. Throws KeystoreError `passphrase_empty`. */
export async function deriveSealKey(
  passphrase: string,
  salt: Uint8Array,
  cost: ScryptCost,
): Promise<Uint8Array> {
  if (passphrase === '') throw new KeystoreError('passphrase_empty', 'the passphrase is empty')
  // NFKD, as in BIP-39 and EIP-2335: keyboards differ in how they compose the same letters.
  const password = passphrase.normalize('NFKD')
  // Node refuses 128·N·r bytes, which the algorithm needs, unless the cap says more.
  const options = { N: cost.n, r: cost.r, p: cost.p, maxmem: 2 * 128 * cost.n * cost.r }
  return new Promise((resolve, reject) => {
    scrypt(password, salt, 32, options, (error, key) =>
      error === null ? resolve(Uint8Array.from(key)) : reject(error),
    )
  })
}

export function sealSecret(
  secret: Uint8Array,
  key: Uint8Array,
  nonce: Uint8Array,
  header: Uint8Array,
): Uint8Array {
  return xchacha20poly1305(key, nonce, header).encrypt(secret)
}

/** Throws KeystoreError `passphrase_wrong`: a changed file can't be told from a wrong passphrase. */
export function openSecret(
  sealed: Uint8Array,
  key: Uint8Array,
  nonce: Uint8Array,
  header: Uint8Array,
): Uint8Array {
  try {
    return xchacha20poly1305(key, nonce, header).decrypt(sealed)
  } catch (cause) {
    throw new KeystoreError('passphrase_wrong', 'the passphrase is wrong, or the keystore was changed', cause)
  }
}
