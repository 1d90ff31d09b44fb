import { decodeCanonicalBase64 } from './canonical-base64.ts'
import { LogError } from './log-error.ts'
import { parseNote, verifyNote } from './note.ts'
import { isKeyName, type NoteVerifier } from './note-key.ts'
import { HASH_BYTES } from './rfc6962.ts'

/** A log's head: `root` (32 bytes) over its first `size` entries. */
export interface Checkpoint {
  readonly origin: string
  readonly size: number
  readonly root: Uint8Array
}

/** The text of a C2SP tlog-checkpoint, before it is signed as a note. */
export function encodeCheckpoint({ origin, size, root }: Checkpoint): string {
  return `${origin}\n${size}\n${Buffer.from(root).toString('base64')}\n`
}

/**
 * Parses a checkpoint's text. Extension lines are refused: C2SP advises against them, since nobody can audit them,
 * and Assay's commitment payload would not cover them.
 *
 * @throws LogError `checkpoint_malformed`
 */
export function parseCheckpoint(text: string): Checkpoint {
  const [origin = '', decimal = '', base64 = '', end, ...more] = text.split('\n')
  const size = Number(decimal)
  const root = decodeCanonicalBase64(base64)
  if (!isKeyName(origin)) throw malformed('the origin is not a key name')
  if (!Number.isSafeInteger(size) || !/^(0|[1-9][0-9]*)$/.test(decimal))
    throw malformed('the size is not a count')
  if (root?.length !== HASH_BYTES) throw malformed('the root is not a hash in canonical base64')
  if (end !== '' || more.length > 0) throw malformed('not exactly three lines')
  return { origin, size, root }
}

/**
 * The checkpoint in a note, whoever signed it.
 *
 * @throws NoteError, LogError `checkpoint_malformed`
 */
export function checkpointIn(message: string): Checkpoint {
  return parseCheckpoint(parseNote(message).text)
}

/**
 * The checkpoint in a note that the log of `verifier` signed: the key's name has to be the origin.
 *
 * @throws NoteError, LogError `checkpoint_malformed`
 */
export function verifyCheckpoint(message: string, verifier: NoteVerifier): Checkpoint {
  const checkpoint = parseCheckpoint(verifyNote(message, [verifier]).text)
  if (checkpoint.origin !== verifier.name) throw malformed(`the origin is not the signer, ${verifier.name}`)
  return checkpoint
}

function malformed(reason: string): LogError {
  return new LogError('checkpoint_malformed', `malformed checkpoint: ${reason}`)
}
