/** C2SP tlog-witness, the side of the log: one add-checkpoint request. */
import { parseNote } from '../log/note.ts'
import { NoteError } from '../log/note-error.ts'
import type { NoteVerifier } from '../log/note-key.ts'
import { signatureLine, verifyCosignature } from './cosignature.ts'
import { readBounded } from './read-bounded.ts'
import { WitnessError } from './witness-error.ts'

export interface Witness {
  /** Its submission prefix. */
  readonly url: string
  /** From parseWitnessKey. */
  readonly key: NoteVerifier
}

interface CheckpointRequest {
  /** Entries of the head that the witness cosigned last; 0 for none. */
  readonly oldSize: number
  /** RFC 6962 consistency proof from there; empty from 0. */
  readonly proof: readonly Uint8Array[]
  /** The signed note. */
  readonly checkpoint: string
}

type WitnessAnswer =
  | { readonly kind: 'cosigned'; readonly line: string; readonly timeUnix: number }
  /** `size`: of the head that the witness cosigned last. */
  | { readonly kind: 'conflict'; readonly size: number }

/** A witness does one signature and one write; the log's readers don't wait for it, so this is patience, not latency. */
const TIMEOUT_MS = 10_000
/** Some signature lines of a few hundred bytes, or a page that says what went wrong. */
const MAX_ANSWER_BYTES = 65_536

/** Throws WitnessError; what `signal` is aborted with passes as `witness_unreachable`. */
export async function addCheckpoint(
  { url, key }: Witness,
  request: CheckpointRequest,
  signal: AbortSignal,
): Promise<WitnessAnswer> {
  const { oldSize, proof, checkpoint } = request
  const hashes = proof.map((hash) => `${Buffer.from(hash).toString('base64')}\n`).join('')
  const { status, body } = await post(key.name, url, `old ${oldSize}\n${hashes}\n${checkpoint}`, signal)
  if (status === 409) return { kind: 'conflict', size: sizeIn(body, key.name) }
  if (status === 422) {
    throw new WitnessError('witness_conflict', `the head that ${key.name} knows does not lead to this one`)
  }
  if (status !== 200) {
    throw new WitnessError('witness_refused', `${key.name} answers ${status}: ${body.slice(0, 200).trim()}`)
  }
  return cosignatureIn(checkpoint, body, key)
}

async function post(
  name: string,
  url: string,
  body: string,
  signal: AbortSignal,
): Promise<{ status: number; body: string }> {
  try {
    const response = await fetch(`${url.replace(/\/$/, '')}/add-checkpoint`, {
      method: 'POST',
      body,
      redirect: 'error',
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    })
    const answer = await readBounded(response, MAX_ANSWER_BYTES)
    return { status: response.status, body: Buffer.from(answer).toString('utf8') }
  } catch (cause) {
    throw new WitnessError('witness_unreachable', `${name} does not answer at ${url}`, cause)
  }
}

/** text/x.tlog.size: the size in decimal and a line feed. */
function sizeIn(body: string, name: string): number {
  const size = Number(body)
  if (!/^(0|[1-9][0-9]*)\n$/.test(body) || !Number.isSafeInteger(size)) {
    throw new WitnessError('witness_malformed', `${name} answers 409 without the size that it knows`)
  }
  return size
}

/** Cosignatures by other keys are ignored, as the protocol asks. */
function cosignatureIn(checkpoint: string, lines: string, key: NoteVerifier): WitnessAnswer {
  const { text, signatures } = noteOf(checkpoint, lines, key.name)
  const own = signatures.find(({ name, keyId }) => name === key.name && keyId === key.keyId)
  if (own === undefined) {
    throw new WitnessError('cosignature_missing', `${key.name} answers without a cosignature by its key`)
  }
  return { kind: 'cosigned', line: signatureLine(own), timeUnix: verifyCosignature(text, own, key) }
}

function noteOf(checkpoint: string, lines: string, name: string) {
  try {
    const note = parseNote(`${checkpoint}${lines}`)
    if (note.text === parseNote(checkpoint).text) return note
  } catch (cause) {
    if (!(cause instanceof NoteError)) throw cause
    throw new WitnessError('witness_malformed', `${name} answers with no signature lines`, cause)
  }
  throw new WitnessError('witness_malformed', `${name} answers with a text of its own`)
}
