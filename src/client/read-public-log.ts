import { type Checkpoint, verifyCheckpoint } from '../log/checkpoint.ts'
import { type Entry, parseEntry } from '../log/entry.ts'
import { parseEntryBundle } from '../log/entry-bundle.ts'
import { parseVerifierKey } from '../log/note-key.ts'
import { completedNodes, leafHash, treeHash } from '../log/rfc6962.ts'
import { TILE_WIDTH, tilePath } from '../log/tile.ts'
import { askCoordinator, ClientError } from './ask-coordinator.ts'

/** The whole public log as an outsider reads it: entries, and the signed head that they lead to. */
export interface PublicLog {
  readonly checkpoint: Checkpoint
  readonly entries: readonly Entry[]
  /** The same entries as they are hashed. */
  readonly bytes: readonly Uint8Array[]
}

/**
 * Reads every entry and believes none: the head must be signed by `verifierKey`, and the entries must hash to its root.
 * Throws ClientError (`log_root_mismatch` where they don't), NoteError, EntryError.
 */
export async function readPublicLog(url: string, verifierKey: string): Promise<PublicLog> {
  const note = await (await askCoordinator(url, '/log/checkpoint')).text()
  const checkpoint = verifyCheckpoint(note, parseVerifierKey(verifierKey))
  const { size, root } = checkpoint
  const nodes = new Map<string, Uint8Array>()
  const readNode = (level: number, n: number) => {
    const node = nodes.get(`${level}/${n}`)
    if (node === undefined) throw new Error(`node ${n} of level ${level} isn't complete`)
    return node
  }
  const entries: Entry[] = []
  const raw: Uint8Array[] = []
  for (let n = 0; entries.length < size; n += 1) {
    const width = Math.min(TILE_WIDTH, size - entries.length)
    for (const bytes of await readBundle(url, n, width)) {
      const index = entries.length
      for (const [level, node] of completedNodes(index, leafHash(bytes), readNode).entries()) {
        nodes.set(`${level}/${Math.floor(index / 2 ** level)}`, node)
      }
      entries.push(parseEntry(bytes))
      raw.push(bytes)
    }
  }
  if (Buffer.compare(treeHash(size, readNode), root) !== 0) {
    throw new ClientError('log_root_mismatch', null, `the ${size} entries do not lead to the signed root`)
  }
  return { checkpoint, entries, bytes: raw }
}

async function readBundle(url: string, n: number, width: number): Promise<Uint8Array[]> {
  const response = await askCoordinator(url, `/log/${tilePath({ level: 'entries', n, width })}`)
  return parseEntryBundle(new Uint8Array(await response.arrayBuffer()), width)
}
