import { parseHeader } from '../../anchor/block-header.ts'
import { encodeOts } from '../../anchor/ots/encode-ots.ts'
import { linearTimestamp } from '../../anchor/ots/timestamp.ts'
import { verifyOts } from '../../anchor/ots/verify-ots.ts'
import { receiptId } from '../../compute/work/receipt.ts'
import { methodOf } from './anchor-method.ts'
import { otsSteps } from './ots-steps.ts'
import type { Proof } from './proof.ts'
import { ProofError } from './proof-error.ts'

/**
 * A detached OpenTimestamps file for the receipt's bytes, which any OpenTimestamps verifier checks without knowing
 * Assay. It says when, not who: signatures have no place in the format. `proof` is one that verifies.
 * Throws ProofError `ots_needs_op_return`, `proof_invalid`.
 */
export function exportOts(proof: Proof): Uint8Array {
  if (methodOf(proof.anchor) === 'taproot') {
    throw new ProofError('ots_needs_op_return', "OpenTimestamps can't express a taproot commitment")
  }
  const digest = receiptId(proof.receipt)
  const attestation = { kind: 'bitcoin', height: proof.height } as const
  const timestamp = linearTimestamp(digest, otsSteps(proof), attestation)
  const { merkleRoot } = parseHeader(proof.header)
  if (!verifyOts(timestamp, digest, () => merkleRoot).every(({ result }) => result === 'confirmed')) {
    throw new ProofError('proof_invalid', "the proof does not lead to its block's Merkle root")
  }
  return encodeOts(timestamp)
}
