import type { AnchorRecord } from '../../anchor/anchor-record.ts'
import { type Method, stripWitness } from '../../anchor/anchor-transaction.ts'
import type { Proof } from './proof.ts'
import { ProofError } from './proof-error.ts'

interface ProofParts {
  readonly receipt: Uint8Array
  /** In the receipt tree of its submission. */
  readonly receiptPath: readonly Uint8Array[]
  /** The submission's log entry. */
  readonly entry: Uint8Array
  readonly entryIndex: number
  /** In the tree of the anchor's size. */
  readonly logPath: readonly Uint8Array[]
  /** Signed note of the head that the anchor commits to, not of a later one. */
  readonly checkpoint: string
  readonly logKey: Uint8Array
  readonly internalKey: Uint8Array
  readonly method: Method
  readonly anchor: Pick<AnchorRecord, 'index' | 'raw' | 'height' | 'header' | 'branch'>
}

/** Puts a proof together and verifies nothing. Throws ProofError `anchor_not_mined`. */
export function buildProof({ anchor, ...parts }: ProofParts): Proof {
  const { index, raw, height, header, branch } = anchor
  if (raw === null || height === null || header === null || branch === null) {
    throw new ProofError('anchor_not_mined', `anchor ${index} is in no block yet`)
  }
  return { ...parts, anchorIndex: index, anchor: stripWitness(raw), header, height, branch }
}
