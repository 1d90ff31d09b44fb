import { expect, test } from 'vitest'
import { parseEntryBundle } from '../../../src/log/entry-bundle.ts'
import type { LogStore } from '../../../src/log/log-store.ts'
import { HASH_BYTES, leafHash, type NodeReader, nodeHash, treeHash } from '../../../src/log/rfc6962.ts'
import { hashTile, TILE_HEIGHT, TILE_WIDTH } from '../../../src/log/tile.ts'
import { appendAll, numberedEntries, openTemporaryLog } from './temporary-log.ts'

/** Reads hashes as an auditor who has nothing but the tiles of a tree of `size` entries. */
function tileReader(log: LogStore, size: number): NodeReader {
  return (level, n) => {
    if (level % TILE_HEIGHT !== 0) {
      const readNode = tileReader(log, size)
      return nodeHash(readNode(level - 1, 2 * n), readNode(level - 1, 2 * n + 1))
    }
    const tileLevel = level / TILE_HEIGHT
    const tile = Math.floor(n / TILE_WIDTH)
    const width = Math.min(TILE_WIDTH, Math.floor(size / TILE_WIDTH ** tileLevel) - tile * TILE_WIDTH)
    const offset = (n % TILE_WIDTH) * HASH_BYTES
    return log.tile(tileLevel, tile, width).subarray(offset, offset + HASH_BYTES)
  }
}

test('the root of a tree of any size follows from its tiles alone, partial ones as they were then', () => {
  const { db, log } = openTemporaryLog()
  appendAll(db, log, numberedEntries(1_100))
  for (const size of [1, 2, 255, 256, 257, 511, 512, 513, 767, 1_023, 1_024, 1_100]) {
    expect(treeHash(size, tileReader(log, size))).toEqual(log.root(size))
  }
})

test('entry bundles give back every entry, and hash to the tiles of level 0', () => {
  const { db, log } = openTemporaryLog()
  const entries = numberedEntries(600)
  appendAll(db, log, entries)
  const bundles = [256, 256, 88].map((width, n) => parseEntryBundle(log.entryBundle(n, width), width))
  expect(bundles.flat()).toEqual(entries)
  for (const [n, bundle] of bundles.entries()) {
    expect(log.tile(0, n, bundle.length)).toEqual(Buffer.concat(bundle.map(leafHash)))
  }
})

test('70,000 entries have the tiles that C2SP tlog-tiles lists for them, and no more', () => {
  const { db, log } = openTemporaryLog()
  appendAll(db, log, numberedEntries(70_000))
  const outOfRange = expect.objectContaining({ code: 'out_of_range' })
  const partial = [
    { level: 0, full: 273, width: 112 },
    { level: 1, full: 1, width: 17 },
    { level: 2, full: 0, width: 1 },
  ]
  for (const { level, full, width } of partial) {
    expect(log.tile(level, full, width).length).toBe(width * HASH_BYTES)
    expect(() => log.tile(level, full, width + 1)).toThrow(outOfRange)
    expect(() => log.tile(level, full + 1, 1)).toThrow(outOfRange)
  }
  expect(log.tile(0, 272).length).toBe(TILE_WIDTH * HASH_BYTES)
  expect(log.tile(1, 0).subarray(0, HASH_BYTES)).toEqual(hashTile(log.tile(0, 0)))
  expect(log.tile(2, 0, 1)).toEqual(hashTile(log.tile(1, 0)))
  expect(() => log.tile(3, 0, 1)).toThrow(outOfRange)
})
