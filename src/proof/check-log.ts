import { checkSubmissionSignature } from '../../compute/work/submission.ts'
import { type Checkpoint, parseCheckpoint, verifyCheckpoint } from '../log/checkpoint.ts'
import { parseNote } from '../log/note.ts'
import { type NoteVerifier, parseVerifierKey } from '../log/note-key.ts'
import { checkRecord, leafHash } from '../log/rfc6962.ts'
import type { Submission } from './check-work.ts'
import { type Checklist, given } from './checklist.ts'
import type { Proof } from './proof.ts'

/** C2SP signed-note: the byte before an Ed25519 public key. */
const ED25519_TYPE = 0x01

/** From the submission to the log's signed head; the head is null where it can't be read. */
export function checkLog(
  list: Checklist,
  proof: Proof | null,
  submission: Submission | null,
  pinnedLogKey: Uint8Array | undefined,
): Checkpoint | null {
  const head = list.check(
    'checkpoint_signature',
    () => readCheckpoint(given(proof), pinnedLogKey),
    ({ origin, size }) =>
      `${origin} at ${size} entries, by ${pinnedLogKey === undefined ? "the proof's own log key" : 'the log key given'}`,
  )
  list.check(
    'submission_signature',
    () => {
      const { headerBytes, signature } = given(submission)
      if (!checkSubmissionSignature(headerBytes, given(head).origin, signature)) {
        throw new Error('the worker did not sign this submission for this log')
      }
    },
    () => 'signed by its worker for this log',
  )
  list.check(
    'log_path',
    () => {
      const { entry, entryIndex, logPath } = given(proof)
      const { size, root } = given(head)
      checkRecord(logPath, size, root, entryIndex, leafHash(entry))
      return { entryIndex, size }
    },
    ({ entryIndex, size }) => `entry ${entryIndex} of ${size}`,
  )
  return head
}

function readCheckpoint({ checkpoint, logKey }: Proof, pinned: Uint8Array | undefined): Checkpoint {
  if (pinned !== undefined && Buffer.compare(pinned, logKey) !== 0) {
    throw new Error('the log key is not the one given')
  }
  const { text, signatures } = parseNote(checkpoint)
  const [signature, ...more] = signatures
  // A cosignature would be bytes that nothing here checks.
  if (signature === undefined || more.length > 0)
    throw new Error('the checkpoint has more than one signature')
  return verifyCheckpoint(checkpoint, verifierOf(parseCheckpoint(text).origin, signature.keyId, logKey))
}

/** The key ID is the note's; parseVerifierKey refuses one that isn't of this name and key. */
function verifierOf(name: string, keyId: number, logKey: Uint8Array): NoteVerifier {
  const typedKey = Buffer.concat([Uint8Array.of(ED25519_TYPE), logKey])
  return parseVerifierKey(`${name}+${keyId.toString(16).padStart(8, '0')}+${typedKey.toString('base64')}`)
}
