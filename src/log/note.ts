import { verify } from 'node:crypto'
import { decodeCanonicalBase64 } from './canonical-base64.ts'
import { NoteError } from './note-error.ts'
import { isKeyName, type NoteVerifier } from './note-key.ts'

/** As sumdb and torchwood: far above the 16 signatures that C2SP signed-note asks for, of any kind. */
const MAX_NOTE_BYTES = 1_000_000
const MAX_SIGNATURES = 100

export const KEY_ID_BYTES = 4
export const SIGNATURE_LINE_PREFIX = '— '
const LINE_FEED = 0x0a
const FIRST_PRINTABLE = 0x20

export interface NoteSignature {
  readonly name: string
  readonly keyId: number
  readonly signature: Uint8Array
}

interface Note {
  /** What was signed, with its final line feed. */
  readonly text: string
  readonly signatures: readonly NoteSignature[]
}

/**
 * Parses a signed note, strictly, and verifies nothing.
 *
 * @throws NoteError `note_malformed`
 */
export function parseNote(message: string): Note {
  if (Buffer.byteLength(message) > MAX_NOTE_BYTES) throw malformed(`longer than ${MAX_NOTE_BYTES} bytes`)
  if (!message.isWellFormed() || hasControlCharacter(message)) throw malformed('not plain UTF-8 text')
  // The text may have blank lines of its own: the last one ends it.
  const split = message.lastIndexOf('\n\n')
  if (split < 0 || !message.endsWith('\n')) throw malformed('no signature block after a blank line')
  const lines = message.slice(split + 2, -1).split('\n')
  if (lines.length > MAX_SIGNATURES) throw malformed(`more than ${MAX_SIGNATURES} signatures`)
  return { text: message.slice(0, split + 1), signatures: lines.map(parseSignatureLine) }
}

/**
 * Verifies every signature by a key in `known`, ignores those by others, and returns the text with what verified.
 *
 * @throws NoteError `note_malformed`; `signature_invalid` when any known key's signature fails; `signature_unknown`
 * when there is none by a known key
 */
export function verifyNote(message: string, known: readonly NoteVerifier[]): Note {
  const { text, signatures } = parseNote(message)
  const bytes = Buffer.from(text)
  const verified = signatures.filter(({ name, keyId, signature }) => {
    const verifier = known.find((key) => key.name === name && key.keyId === keyId)
    if (verifier === undefined) return false
    if (!verify(null, bytes, verifier.publicKey, signature)) {
      throw new NoteError('signature_invalid', `the signature by ${name} does not verify`)
    }
    return true
  })
  if (verified.length === 0)
    throw new NoteError('signature_unknown', 'the note has no signature by a known key')
  return { text, signatures: verified }
}

function parseSignatureLine(line: string): NoteSignature {
  if (!line.startsWith(SIGNATURE_LINE_PREFIX)) throw malformed('a signature line without its dash')
  const [name = '', base64 = '', ...more] = line.slice(SIGNATURE_LINE_PREFIX.length).split(' ')
  const prefixed = decodeCanonicalBase64(base64)
  if (!isKeyName(name) || prefixed === null || prefixed.length <= KEY_ID_BYTES || more.length > 0) {
    throw malformed('a signature line that is not a key name and canonical base64')
  }
  const view = Buffer.from(prefixed)
  return { name, keyId: view.readUInt32BE(), signature: view.subarray(KEY_ID_BYTES) }
}

function hasControlCharacter(message: string): boolean {
  for (let i = 0; i < message.length; i += 1) {
    const code = message.charCodeAt(i)
    if (code < FIRST_PRINTABLE && code !== LINE_FEED) return true
  }
  return false
}

function malformed(reason: string): NoteError {
  return new NoteError('note_malformed', `malformed note: ${reason}`)
}
