import assert from 'node:assert/strict'
import type { AnchorRecord } from '../../anchor/anchor-record.ts'
import { stripWitness } from '../../anchor/anchor-transaction.ts'
import { parseCheckpoint } from '../log/checkpoint.ts'
import { parseEntry } from '../log/entry.ts'
import { parseNote } from '../log/note.ts'
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
  readonly anchor: Pick<AnchorRecord, 'index' | 'raw' | 'height' | 'header' | 'branch'>
}

/** Puts a proof together and verifies nothing. Throws ProofError `anchor_not_mined`. */
export function buildProof({ anchor, entry: entryBytes, checkpoint, ...parts }: ProofParts): Proof {
  const { index, raw, height, header, branch } = anchor
  if (raw === null || height === null || header === null || branch === null) {
    throw new ProofError('anchor_not_mined', `anchor ${index} is in no block yet`)
  }
  const entry = parseEntry(entryBytes)
  assert(entry.kind === 'submission', 'receipts stand in submissions')
  const { text, signatures } = parseNote(checkpoint)
  const { origin, size } = parseCheckpoint(text)
  const own = signatures.find(({ name }) => name === origin)
  assert(own !== undefined, 'a log signs its own checkpoints')
  return {
    ...parts,
    submission: entry.header,
    signature: entry.signature,
    receipts: entry.receipts,
    origin,
    size,
    logSignature: own.signature,
    anchorIndex: index,
    anchor: stripWitness(raw),
    branch,
    header,
    height,
  }
}
