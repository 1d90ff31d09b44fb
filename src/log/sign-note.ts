import { sign } from 'node:crypto'
import { KEY_ID_BYTES, parseNote, SIGNATURE_LINE_PREFIX } from './note.ts'
import { NoteError } from './note-error.ts'
import type { NoteSigner } from './note-signer.ts'

/**
 * A C2SP signed note: `text`, which ends in a line feed, a blank line, and a signature line for each signer.
 *
 * @throws NoteError `note_malformed` for a text that notes can't carry
 */
export function signNote(text: string, signers: readonly NoteSigner[]): string {
  const lines = signers.map(({ name, keyId, privateKey }) => {
    const id = Buffer.alloc(KEY_ID_BYTES)
    id.writeUInt32BE(keyId)
    const prefixed = Buffer.concat([id, sign(null, Buffer.from(text), privateKey)])
    return `${SIGNATURE_LINE_PREFIX}${name} ${prefixed.toString('base64')}\n`
  })
  const message = `${text}\n${lines.join('')}`
  // What we sign obeys what we ask of others, and reads back as what was signed.
  if (parseNote(message).text !== text) {
    throw new NoteError('note_malformed', 'malformed note: the text does not end in a line feed')
  }
  return message
}
