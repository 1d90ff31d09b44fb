/** What the checks use of node:crypto, for browsers, by @noble: synchronous, as the verifier is, which Web Crypto isn't. */
import { ed25519 } from '@noble/curves/ed25519.js'
import { ripemd160, sha1 } from '@noble/hashes/legacy.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { Buffer } from './buffer.ts'

const HASHES = { sha256, sha1, ripemd160 }

export function hash(algorithm: keyof typeof HASHES, data: Uint8Array | string, _output: 'buffer'): Buffer {
  return Buffer.from(HASHES[algorithm](typeof data === 'string' ? Buffer.from(data) : data))
}

/** An Ed25519 public key. */
export interface KeyObject {
  export(options: { format: 'jwk' }): { x?: string }
}

/** RFC 8037. */
interface Jwk {
  readonly kty: 'OKP'
  readonly crv: 'Ed25519'
  /** base64url */
  readonly x: string
}

export function createPublicKey({ key }: { key: Jwk; format: 'jwk' }): KeyObject {
  return { export: () => ({ x: key.x }) }
}

/** Ed25519 by the rules of RFC 8032, as OpenSSL has them; ZIP 215 would take more. */
export function verify(_algorithm: null, data: Uint8Array, key: KeyObject, signature: Uint8Array): boolean {
  const publicKey = Buffer.from(key.export({ format: 'jwk' }).x ?? '', 'base64url')
  try {
    return ed25519.verify(signature, data, publicKey, { zip215: false })
  } catch {
    return false // @noble throws for what can't be a key or a signature, node:crypto says no
  }
}

export function randomBytes(length: number): Buffer {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(length)))
}
