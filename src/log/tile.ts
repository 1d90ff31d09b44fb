import assert from 'node:assert'
import { LogError } from './log-error.ts'
import { HASH_BYTES, nodeHash } from './rfc6962.ts'

/** C2SP tlog-tiles: levels of the tree in one tile, and hashes (or entries) in a full one. */
export const TILE_HEIGHT = 8
export const TILE_WIDTH = 2 ** TILE_HEIGHT

/** C2SP tlog-tiles: levels are 0 to 63. */
const MAX_TILE_LEVEL = 63

/** Hashes `width` × `n` … of the tree's level 8 × `level`, or those entries; `width` < 256 is a partial tile. */
export interface Tile {
  readonly level: number | 'entries'
  readonly n: number
  readonly width: number
}

/** The path of a tile under the log's prefix: `tile/<L>/<N>[.p/<W>]`, N as `x001/x234/067`. */
export function tilePath({ level, n, width }: Tile): string {
  let path = digits(n % 1000)
  for (let rest = Math.floor(n / 1000); rest > 0; rest = Math.floor(rest / 1000)) {
    path = `x${digits(rest % 1000)}/${path}`
  }
  return `tile/${level}/${path}${width === TILE_WIDTH ? '' : `.p/${width}`}`
}

/**
 * Parses what `tilePath` makes and nothing else.
 *
 * @throws LogError `tile_path_malformed`
 */
export function parseTilePath(path: string): Tile {
  // At most 5 groups: 15 digits are exact, and more entries than any log of ours can hold.
  const match = /^tile\/(entries|[0-9]{1,2})\/((?:x[0-9]{3}\/){0,4}[0-9]{3})(?:\.p\/([0-9]{1,3}))?$/.exec(
    path,
  )
  const [, level = '', groups = '', width] = match ?? []
  const tile: Tile = {
    level: level === 'entries' ? level : Number(level),
    n: Number(groups.replaceAll(/[x/]/g, '')),
    width: width === undefined ? TILE_WIDTH : Number(width),
  }
  // One spelling for each tile: no zero group in front, no width 0 or of a full tile after `.p/`.
  const known = tile.level === 'entries' || tile.level <= MAX_TILE_LEVEL
  if (!known || tile.width < 1 || tile.width > TILE_WIDTH || tilePath(tile) !== path) {
    throw new LogError('tile_path_malformed', 'not a tile path')
  }
  return tile
}

/** The hash that a full tile has in the tile above it. */
export function hashTile(tile: Uint8Array): Uint8Array {
  assert(tile.length === TILE_WIDTH * HASH_BYTES, 'only full tiles are hashed into the level above')
  return hashHalves(tile)
}

function hashHalves(hashes: Uint8Array): Uint8Array {
  if (hashes.length === HASH_BYTES) return hashes
  const middle = hashes.length / 2
  return nodeHash(hashHalves(hashes.subarray(0, middle)), hashHalves(hashes.subarray(middle)))
}

function digits(group: number): string {
  return String(group).padStart(3, '0')
}
