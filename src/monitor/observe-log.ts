import { type Checkpoint, checkpointIn, verifyCheckpoint } from '../log/checkpoint.ts'
import { EntryError, parseEntry } from '../log/entry.ts'
import { LogError } from '../log/log-error.ts'
import { NoteError } from '../log/note-error.ts'
import { parseVerifierKey } from '../log/note-key.ts'
import { leafHash } from '../log/rfc6962.ts'
import type { KeptHead } from './kept-head.ts'
import type { LogSource } from './log-source.ts'
import { MonitorError } from './monitor-error.ts'
import { readCheckpoint, readEntries } from './read-entries.ts'
import { openTreeEdge, type TreeEdge } from './tree-edge.ts'
import { verifierKeyOf } from './verifier-key.ts'

type BreakCode =
  | 'checkpoint_signature' // the head is not signed by the pinned key, or is no checkpoint
  | 'split_view' // two signed heads of one size: proof by itself that the log forked
  | 'not_append_only' // the entries lead to the new signed head, and not through the one that was kept
  | 'log_shrank' // a smaller head than the one that was kept
  | 'entries_mismatch' // the entries that are served don't lead to the signed head
  | 'entries_missing'

/** One look at a log. */
export interface Observation {
  readonly code: 'first_seen' | 'unchanged' | 'grown' | BreakCode
  readonly detail: string
  readonly verifierKey: string
  /** Signed notes: what was kept before, and what is served now. Together they are the evidence of a break. */
  readonly kept: string | null
  readonly served: string
  /** What to keep from now on; null after a break: the head that held stays. */
  readonly next: KeptHead | null
}

/**
 * Looks at a log from outside: its head must be signed by the key that was pinned, and the entries that are new since
 * `kept` must lead from the kept root to the signed one. Without `kept` every entry is read; without a key the one
 * that the log's genesis names is pinned. `onProgress` counts entries. Throws MonitorError, and what the source throws.
 */
export async function observeLog(
  source: LogSource,
  kept: KeptHead | null,
  givenKey?: string,
  onProgress: (done: number, of: number) => void = () => {},
): Promise<Observation> {
  if (kept !== null && givenKey !== undefined && kept.verifierKey !== givenKey) {
    throw new MonitorError('log_key_differs', `the state was kept under ${kept.verifierKey}, not ${givenKey}`)
  }
  const served = await readCheckpoint(source)
  const verifierKey = givenKey ?? kept?.verifierKey ?? (await readGenesisKey(source, served))
  const seen = { verifierKey, kept: kept?.checkpoint ?? null, served }
  const broken = (code: BreakCode, detail: string): Observation => ({ ...seen, code, detail, next: null })

  const head = headOf(served, verifierKey)
  if (head instanceof Error) return broken('checkpoint_signature', head.message)
  const { size, root } = head
  const old = kept === null ? null : verifyCheckpoint(kept.checkpoint, parseVerifierKey(kept.verifierKey))
  if (old !== null && size < old.size) {
    return broken('log_shrank', `the head has ${size} entries, ${old.size} were signed before`)
  }
  if (kept !== null && size === old?.size) {
    return equal(root, old.root)
      ? { ...seen, code: 'unchanged', detail: `${size} entries`, next: kept }
      : broken('split_view', `two roots are signed over ${size} entries`)
  }

  try {
    const edge = openTreeEdge(old?.size ?? 0, kept?.edge ?? [])
    await grow(edge, source, size, onProgress)
    if (equal(edge.root(), root)) {
      const next = { verifierKey, checkpoint: served, edge: edge.hashes() }
      if (old === null) return { ...seen, code: 'first_seen', detail: `${size} entries`, next }
      return { ...seen, code: 'grown', detail: `${size - old.size} entries after ${old.size}`, next }
    }
    return old !== null && (await leadsPast(source, old, head))
      ? broken(
          'not_append_only',
          `the log of ${size} entries does not begin with the ${old.size} signed before`,
        )
      : broken('entries_mismatch', `the entries that are served do not lead to the signed root of ${size}`)
  } catch (error) {
    if (error instanceof MonitorError && error.code === 'entries_missing') {
      return broken('entries_missing', error.message)
    }
    if (error instanceof LogError) return broken('entries_mismatch', error.message)
    throw error
  }
}

function headOf(note: string, verifierKey: string): Checkpoint | NoteError | LogError {
  const verifier = parseVerifierKey(verifierKey)
  try {
    return verifyCheckpoint(note, verifier)
  } catch (error) {
    if (error instanceof NoteError || error instanceof LogError) return error
    throw error
  }
}

/** Appends the served entries that the edge lacks of `size`. */
async function grow(
  edge: TreeEdge,
  source: LogSource,
  size: number,
  onProgress: (done: number, of: number) => void,
): Promise<void> {
  for await (const entry of readEntries(source, { from: edge.size(), to: size, size }, onProgress))
    edge.append(leafHash(entry))
}

/** Whether the served entries, from the first on, lead to `head` by another way than through `old`. */
async function leadsPast(source: LogSource, old: Checkpoint, head: Checkpoint): Promise<boolean> {
  const edge = openTreeEdge()
  const { size } = head
  let wasOld = false
  for await (const entry of readEntries(source, { from: 0, to: size, size })) {
    edge.append(leafHash(entry))
    wasOld ||= edge.size() === old.size && equal(edge.root(), old.root)
  }
  return equal(edge.root(), head.root) && !wasOld
}

/** Trust on first use: the key that entry 0 names. */
async function readGenesisKey(source: LogSource, served: string): Promise<string> {
  try {
    const { size } = checkpointIn(served)
    for await (const bytes of readEntries(source, { from: 0, to: Math.min(1, size), size })) {
      const entry = parseEntry(bytes)
      if (entry.kind === 'genesis') return verifierKeyOf(entry)
    }
  } catch (cause) {
    if (!(cause instanceof NoteError || cause instanceof LogError || cause instanceof EntryError)) throw cause
    throw new MonitorError('genesis_missing', 'the log names no key of its own: give one', cause)
  }
  throw new MonitorError('genesis_missing', 'the log names no key of its own: give one')
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}
