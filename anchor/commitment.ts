import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { p2tr, Script } from '@scure/btc-signer'

/** What one anchor commits to. PROTOCOL §4. */
interface Commitment {
  /** Position in the chain of anchors, 0 for the first. */
  index: number
  /** The log's name, a C2SP checkpoint origin. */
  origin: string
  /** Entries in the log. */
  size: number
  /** RFC 6962 root, 32 bytes. */
  root: Uint8Array
}

export class CommitmentError extends Error {
  override readonly name = 'CommitmentError'
  readonly code = 'payload_malformed'
}

const MAGIC = Buffer.from('ASY1')
const DIGEST_AT = MAGIC.length + 4
/** 40: a 42-byte OP_RETURN script relays under every default that nodes use. */
export const PAYLOAD_BYTES = DIGEST_AT + 32
const MAX_INDEX = 0xffff_ffff

/** `"ASY1" ‖ uint32 BE index ‖ SHA-256(origin LF size LF root)`, 40 bytes. */
export function encodePayload(commitment: Commitment): Uint8Array {
  const { index, origin, size, root } = commitment
  assert(Number.isInteger(index) && index >= 0 && index <= MAX_INDEX, `anchor index out of range: ${index}`)
  assert(Number.isSafeInteger(size) && size >= 0, `log size out of range: ${size}`)
  assert(origin.length > 0 && !origin.includes('\n'), 'origin: empty, or with a line feed in it')
  assert.equal(root.length, 32, 'root: 32 bytes')
  const payload = new Uint8Array(PAYLOAD_BYTES)
  payload.set(MAGIC)
  new DataView(payload.buffer).setUint32(MAGIC.length, index)
  payload.set(hash('sha256', Buffer.concat([Buffer.from(`${origin}\n${size}\n`), root]), 'buffer'), DIGEST_AT)
  return payload
}

/** Anchor index and digest of a payload. Throws CommitmentError. */
export function parsePayload(bytes: Uint8Array): { index: number; digest: Uint8Array } {
  if (bytes.length !== PAYLOAD_BYTES) {
    throw new CommitmentError(`payload: expected ${PAYLOAD_BYTES} bytes, received ${bytes.length}`)
  }
  if (!MAGIC.equals(bytes.subarray(0, MAGIC.length)))
    throw new CommitmentError('payload: no "ASY1" at its start')
  const index = new DataView(bytes.buffer, bytes.byteOffset).getUint32(MAGIC.length)
  return { index, digest: bytes.slice(DIGEST_AT) }
}

/** `OP_RETURN <payload>`: the data output, and the tapscript leaf of the same anchor. */
export function opReturnScript(payload: Uint8Array): Uint8Array {
  assert.equal(payload.length, PAYLOAD_BYTES, `payload: ${PAYLOAD_BYTES} bytes`)
  return Script.encode(['RETURN', payload])
}

/**
 * Output script of a seal: P2TR of the internal key, tweaked by the payload's leaf (BIP-341). The leaf is never
 * revealed and can't be spent. A seal without a payload is the first one, a BIP-86 output.
 */
export function sealScript(internalKey: Uint8Array, payload: Uint8Array | null): Uint8Array {
  if (payload === null) return p2tr(internalKey).script
  // scure takes an OP_RETURN leaf for a mistake unless unknown scripts are allowed.
  return p2tr(internalKey, { script: opReturnScript(payload) }, undefined, true).script
}
