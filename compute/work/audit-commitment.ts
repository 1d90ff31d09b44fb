import { checkHashSignature, signHash } from './bip340.ts'
import { encodeCbor } from './canonical-cbor.ts'
import { taggedHash } from './tagged-hash.ts'

export interface AuditCommitment {
  /** `auditCommitment` of the auditor's own output. */
  readonly commitment: Uint8Array
  /** Receipt id. */
  readonly receipt: Uint8Array
  readonly round: number
}

/** Binds an auditor to its output before it sees the worker's; the key in it stops another from copying it. */
export function auditCommitment(o: {
  auditor: Uint8Array
  receipt: Uint8Array
  salt: Uint8Array
  outputDigest: Uint8Array
}): Uint8Array {
  return taggedHash('assay/audit', o.auditor, o.receipt, o.salt, o.outputDigest)
}

/** For the log named `origin` alone. */
export function signCommitments(
  commitments: readonly AuditCommitment[],
  origin: string,
  secretKey: Uint8Array,
): Uint8Array {
  return signHash(commitmentsHash(commitments, origin), secretKey)
}

export function checkCommitmentsSignature(
  signed: { auditor: Uint8Array; commitments: readonly AuditCommitment[]; signature: Uint8Array },
  origin: string,
): boolean {
  return checkHashSignature(commitmentsHash(signed.commitments, origin), signed.auditor, signed.signature)
}

function commitmentsHash(commitments: readonly AuditCommitment[], origin: string): Uint8Array {
  return taggedHash(`assay/audit-commitments/${origin}`, encodeCbor(commitments))
}
