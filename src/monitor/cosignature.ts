/** C2SP tlog-cosignature, cosignature/v1: what a witness says of a checkpoint, with the time at which it said so. */
import { createPublicKey, verify } from 'node:crypto'
import { decodeCanonicalBase64 } from '../log/canonical-base64.ts'
import type { NoteSignature } from '../log/note.ts'
import { NoteError } from '../log/note-error.ts'
import { isKeyName, type NoteVerifier } from '../log/note-key.ts'
import { COSIGNATURE_TYPE, encodeVerifierKey } from './verifier-key.ts'
import { WitnessError } from './witness-error.ts'

const PUBLIC_KEY_BYTES = 32
const TIMESTAMP_BYTES = 8
const ED25519_SIGNATURE_BYTES = 64

/** Parses a C2SP verifier key of type 0x04, Ed25519 cosignatures. Throws NoteError `key_malformed`. */
export function parseWitnessKey(verifierKey: string): NoteVerifier {
  const match = /^(?<name>[^+]+)\+(?<keyIdHex>[0-9a-f]{8})\+(?<base64>.+)$/s.exec(verifierKey)
  const { name = '', keyIdHex = '', base64 = '' } = match?.groups ?? {}
  const typedKey = decodeCanonicalBase64(base64)
  const isWitnessKey = typedKey?.length === 1 + PUBLIC_KEY_BYTES && typedKey[0] === COSIGNATURE_TYPE
  if (!isKeyName(name) || !isWitnessKey || encodeVerifierKey(name, typedKey) !== verifierKey) {
    throw new NoteError('key_malformed', 'not a witness key: <name>+<key ID>+<base64(0x04 ‖ Ed25519 key)>')
  }
  const x = Buffer.from(typedKey.subarray(1)).toString('base64url')
  const publicKey = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
  return { name, keyId: Number.parseInt(keyIdHex, 16), publicKey }
}

/** The time in Unix seconds at which the witness of `key` cosigned `text`. Throws WitnessError `cosignature_invalid`. */
export function verifyCosignature(text: string, { signature }: NoteSignature, key: NoteVerifier): number {
  const invalid = (detail: string) =>
    new WitnessError('cosignature_invalid', `cosignature of ${key.name}: ${detail}`)
  if (signature.length !== TIMESTAMP_BYTES + ED25519_SIGNATURE_BYTES) {
    throw invalid(`${signature.length} bytes, not a timestamped signature`)
  }
  const timestamp = Buffer.from(signature).readBigUInt64BE()
  const message = Buffer.from(`cosignature/v1\ntime ${timestamp}\n${text}`)
  if (!verify(null, message, key.publicKey, signature.subarray(TIMESTAMP_BYTES))) {
    throw invalid('it does not verify')
  }
  const timeUnix = Number(timestamp)
  if (!Number.isSafeInteger(timeUnix)) throw invalid(`${timestamp} is no time`)
  return timeUnix
}

/** A line of a signed note (C2SP signed-note). */
export function signatureLine({ name, keyId, signature }: NoteSignature): string {
  const prefix = Buffer.alloc(4)
  prefix.writeUInt32BE(keyId)
  return `— ${name} ${Buffer.concat([prefix, signature]).toString('base64')}\n`
}
