import { type Entry, parseEntry } from '../log/entry.ts'
import { parseEntryBundle } from '../log/entry-bundle.ts'
import { TILE_WIDTH, tilePath } from '../log/tile.ts'

interface ReadEntry {
  readonly index: number
  readonly entry: Entry
  readonly bytes: number
}

/** The tile that holds entry `index` of a log of `size`, as anybody gets it, decoded. It never changes: the browser keeps it. */
export async function readEntriesAround(index: number, size: number): Promise<ReadEntry[]> {
  const n = Math.floor(index / TILE_WIDTH)
  const width = Math.min(size - n * TILE_WIDTH, TILE_WIDTH)
  const response = await fetch(`/log/${tilePath({ level: 'entries', n, width })}`)
  if (!response.ok) throw new Error(`the tile of entries answers ${response.status}`)
  const bundle = parseEntryBundle(new Uint8Array(await response.arrayBuffer()), width)
  return bundle.map((bytes, i) => ({
    index: n * TILE_WIDTH + i,
    entry: parseEntry(bytes),
    bytes: bytes.length,
  }))
}
