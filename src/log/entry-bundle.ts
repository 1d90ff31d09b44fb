import assert from 'node:assert'
import { LogError } from './log-error.ts'
import { TILE_WIDTH } from './tile.ts'

const LENGTH_PREFIX_BYTES = 2

/** C2SP tlog-tiles: an entry's length is a uint16. */
export const MAX_ENTRY_BYTES = 65_535

/** A C2SP tlog-tiles entry bundle: each entry after its length, uint16 BE. */
export function encodeEntryBundle(entries: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(
    entries.flatMap((entry) => {
      assert(entry.length <= MAX_ENTRY_BYTES, 'entries fit their length prefix')
      const length = Buffer.alloc(LENGTH_PREFIX_BYTES)
      length.writeUInt16BE(entry.length)
      return [length, entry]
    }),
  )
}

/**
 * The entries of a bundle of exactly `width` entries, as its path says.
 *
 * @throws LogError `bundle_malformed`
 */
export function parseEntryBundle(bytes: Uint8Array, width: number): Uint8Array[] {
  assert(1 <= width && width <= TILE_WIDTH, 'a bundle has 1 to 256 entries')
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const malformed = () => new LogError('bundle_malformed', `not an entry bundle of exactly ${width} entries`)
  const entries: Uint8Array[] = []
  let offset = 0
  while (entries.length < width) {
    const start = offset + LENGTH_PREFIX_BYTES
    if (start > view.length) throw malformed()
    offset = start + view.readUInt16BE(start - LENGTH_PREFIX_BYTES)
    entries.push(view.subarray(start, offset))
  }
  // Also where the last entry is cut short: the offset is past the end then.
  if (offset !== view.length) throw malformed()
  return entries
}
