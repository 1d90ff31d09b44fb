/** What a monitor keeps of a log between two looks: the last head that it verified, and what the next one needs. */
import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { decodeCanonicalBase64 } from '../log/canonical-base64.ts'
import { verifyCheckpoint } from '../log/checkpoint.ts'
import { parseVerifierKey } from '../log/note-key.ts'
import { HASH_BYTES } from '../log/rfc6962.ts'
import { MonitorError } from './monitor-error.ts'
import { edgeLength, openTreeEdge } from './tree-edge.ts'
import { writeAtomically } from './write-atomically.ts'

export interface KeptHead {
  /** Pinned at the first look. */
  readonly verifierKey: string
  /** The signed note. */
  readonly checkpoint: string
  /** Of the checkpoint's tree, as a TreeEdge has them. */
  readonly edge: readonly Uint8Array[]
}

const hashText = z.string().transform((text, context) => {
  const bytes = decodeCanonicalBase64(text)
  if (bytes?.length === HASH_BYTES) return bytes
  context.addIssue('expected a hash in base64')
  return z.NEVER
})

const stateSchema = z.strictObject({
  v: z.literal(1),
  verifierKey: z.string(),
  checkpoint: z.string(),
  edge: z.array(hashText),
})

/** null: nothing was kept yet. Throws MonitorError `state_unreadable`, `state_malformed`. */
export async function readKeptHead(file: string): Promise<KeptHead | null> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return null
    throw new MonitorError('state_unreadable', `${file} can't be read`, cause)
  }
  try {
    const { v: _version, ...kept } = stateSchema.parse(JSON.parse(text))
    checkKeptHead(kept)
    return kept
  } catch (cause) {
    throw new MonitorError('state_malformed', `${file} is not a state that was written here`, cause)
  }
}

/** The whole file or the one before, durable when it returns. */
export async function writeKeptHead(
  file: string,
  { verifierKey, checkpoint, edge }: KeptHead,
): Promise<void> {
  const hashes = edge.map((hash) => Buffer.from(hash).toString('base64'))
  await writeAtomically(file, `${JSON.stringify({ v: 1, verifierKey, checkpoint, edge: hashes }, null, 2)}\n`)
}

/** A state that a disk or a hand has changed must never accuse a log: it has to hold together by itself. */
function checkKeptHead({ verifierKey, checkpoint, edge }: KeptHead): void {
  const { size, root } = verifyCheckpoint(checkpoint, parseVerifierKey(verifierKey))
  if (edge.length !== edgeLength(size) || Buffer.compare(openTreeEdge(size, edge).root(), root) !== 0) {
    throw new Error('the edge hashes do not lead to the root')
  }
}
