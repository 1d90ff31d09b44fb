import { createPublicKey, verify } from 'node:crypto'
import { checkSubmissionSignature } from '../../compute/work/submission.ts'
import { type Checkpoint, encodeCheckpoint } from '../log/checkpoint.ts'
import { leafHash, recordRoot } from '../log/rfc6962.ts'
import { type Checklist, given } from './checklist.ts'
import type { Proof } from './proof.ts'
import { submissionEntry } from './submission-entry.ts'

/** From the submission to the log's signed head; the head is null where it isn't the log's. */
export function checkLog(
  list: Checklist,
  proof: Proof | null,
  pinnedLogKey: Uint8Array | undefined,
): Checkpoint | null {
  list.check(
    'submission_signature',
    () => {
      const { submission, origin, signature } = given(proof)
      if (!checkSubmissionSignature(submission, origin, signature)) {
        throw new Error('the worker did not sign this submission for this log')
      }
    },
    () => 'signed by its worker for this log',
  )
  const head = list.check(
    'log_path',
    () => {
      const { origin, size, entryIndex, logPath } = given(proof)
      // The root isn't in the file: that it is the log's, its signature says.
      return {
        origin,
        size,
        root: recordRoot(logPath, size, entryIndex, leafHash(submissionEntry(given(proof)))),
      }
    },
    ({ size }) => `entry ${proof?.entryIndex} of ${size}`,
  )
  return list.check(
    'checkpoint_signature',
    () => {
      checkCheckpointSignature(given(head), given(proof), pinnedLogKey)
      return given(head)
    },
    ({ origin, size }) =>
      `${origin} at ${size} entries, by ${pinnedLogKey === undefined ? "the proof's own log key" : 'the log key given'}`,
  )
}

/** C2SP signed-note: Ed25519 signs the text, which for a checkpoint is origin, size and root. */
function checkCheckpointSignature(
  head: Checkpoint,
  { logKey, logSignature }: Proof,
  pinned: Uint8Array | undefined,
): void {
  if (pinned !== undefined && Buffer.compare(pinned, logKey) !== 0) {
    throw new Error('the log key is not the one given')
  }
  const x = Buffer.from(logKey).toString('base64url')
  const publicKey = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
  if (!verify(null, Buffer.from(encodeCheckpoint(head)), publicKey, logSignature)) {
    throw new Error('the log did not sign a head that this path leads to')
  }
}
