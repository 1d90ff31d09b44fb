import { MAX_ENTRY_BYTES, parseEntryBundle } from '../log/entry-bundle.ts'
import { TILE_WIDTH, tilePath } from '../log/tile.ts'
import type { LogSource } from './log-source.ts'
import { MonitorError } from './monitor-error.ts'

/** 256 of the longest entries, each after its length. */
const MAX_BUNDLE_BYTES = TILE_WIDTH * (MAX_ENTRY_BYTES + 2)
/** C2SP tlog-checkpoint notes are under a kilobyte; cosignatures add a line each. */
const MAX_CHECKPOINT_BYTES = 65_536

/** The note that is served as the log's head, unverified. Throws MonitorError `checkpoint_missing`. */
export async function readCheckpoint(source: LogSource): Promise<string> {
  const bytes = await source.read('checkpoint', MAX_CHECKPOINT_BYTES)
  if (bytes === null) throw new MonitorError('checkpoint_missing', 'no checkpoint is served there')
  return Buffer.from(bytes).toString('utf8')
}

/**
 * Entries [from, to) of a log of `size` entries, in order, as served: whoever reads them recomputes the root.
 * `onProgress` hears of each once its reader has done with it. Throws MonitorError `entries_missing`, LogError `bundle_malformed`.
 */
export async function* readEntries(
  source: LogSource,
  { from, to, size }: { from: number; to: number; size: number },
  onProgress: (done: number, of: number) => void = () => {},
): AsyncGenerator<Uint8Array> {
  let done = 0
  for (let n = Math.floor(from / TILE_WIDTH); n * TILE_WIDTH < to; n += 1) {
    const first = n * TILE_WIDTH
    const bundle = await readBundle(source, n, Math.min(TILE_WIDTH, size - first))
    for (const entry of bundle.slice(Math.max(from - first, 0), to - first)) {
      yield entry
      done += 1
      onProgress(done, to - from)
    }
  }
}

/** C2SP tlog-tiles: a partial bundle may be gone once the full one is there, which holds its entries and more. */
async function readBundle(source: LogSource, n: number, width: number): Promise<Uint8Array[]> {
  const bytes = await source.read(tilePath({ level: 'entries', n, width }), MAX_BUNDLE_BYTES)
  if (bytes !== null) return parseEntryBundle(bytes, width)
  const full = width === TILE_WIDTH ? null : await source.read(fullPath(n), MAX_BUNDLE_BYTES)
  if (full === null) {
    throw new MonitorError('entries_missing', `entries from ${n * TILE_WIDTH} on are not served`)
  }
  return parseEntryBundle(full, TILE_WIDTH)
}

function fullPath(n: number): string {
  return tilePath({ level: 'entries', n, width: TILE_WIDTH })
}
