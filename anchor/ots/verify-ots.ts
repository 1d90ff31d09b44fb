import { OtsError } from './ots-error.ts'
import type { Attestation, Timestamp } from './timestamp.ts'

export interface AttestationResult {
  attestation: Attestation
  /** What the attestation is about: for a Bitcoin block, its Merkle root. */
  message: Uint8Array
  /**
   * `confirmed`: the block at that height has this Merkle root, so the file existed then. `refuted`: it has another.
   * `unknown_block`: no such height among the headers. `unsupported`: not a Bitcoin attestation, says nothing.
   */
  result: 'confirmed' | 'refuted' | 'unknown_block' | 'unsupported'
}

/**
 * Judges every attestation of a timestamp over the file with SHA-256 `digest`. `merkleRootAt` answers from
 * checked headers, 32 bytes in internal order, or null. Throws OtsError when the timestamp is another file's.
 */
export function verifyOts(
  timestamp: Timestamp,
  digest: Uint8Array,
  merkleRootAt: (height: number) => Uint8Array | null,
): AttestationResult[] {
  if (Buffer.compare(timestamp.message, digest) !== 0) {
    throw new OtsError('ots_digest_mismatch', 'the timestamp is about another file')
  }
  return judge(timestamp, merkleRootAt)
}

function judge(
  timestamp: Timestamp,
  merkleRootAt: (height: number) => Uint8Array | null,
): AttestationResult[] {
  const { message, attestations, ops } = timestamp
  const own = attestations.map((attestation) => {
    return { attestation, message, result: resultOf(attestation, message, merkleRootAt) }
  })
  return [...own, ...ops.flatMap((way) => judge(way.timestamp, merkleRootAt))]
}

function resultOf(
  attestation: Attestation,
  message: Uint8Array,
  merkleRootAt: (height: number) => Uint8Array | null,
): AttestationResult['result'] {
  if (attestation.kind !== 'bitcoin') return 'unsupported'
  const merkleRoot = merkleRootAt(attestation.height)
  if (merkleRoot === null) return 'unknown_block'
  return Buffer.compare(merkleRoot, message) === 0 ? 'confirmed' : 'refuted'
}
