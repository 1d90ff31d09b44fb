import { NoteError } from '../log/note-error.ts'
import { parseWitnessKey } from './cosignature.ts'
import type { Witness } from './witness-client.ts'

/** `<submission prefix> <C2SP verifier key>`. Throws NoteError `key_malformed`. */
export function parseWitness(line: string): Witness {
  const [url = '', key = '', ...more] = line.split(' ')
  if (!/^https?:$/.test(URL.parse(url)?.protocol ?? '') || more.length > 0) {
    throw new NoteError('key_malformed', 'not a witness: <submission prefix> <verifier key>')
  }
  return { url, key: parseWitnessKey(key) }
}
