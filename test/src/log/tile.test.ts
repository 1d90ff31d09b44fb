import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { treeHash } from '../../../src/log/rfc6962.ts'
import { hashTile, parseTilePath, TILE_WIDTH, type Tile, tilePath } from '../../../src/log/tile.ts'
import { memoryTree } from './memory-tree.ts'

describe('paths', () => {
  // 1234067 and the forms around it: C2SP tlog-tiles, "Merkle Tree".
  test.each<[string, Tile]>([
    ['tile/0/000', { level: 0, n: 0, width: 256 }],
    ['tile/0/000.p/1', { level: 0, n: 0, width: 1 }],
    ['tile/0/999.p/255', { level: 0, n: 999, width: 255 }],
    ['tile/1/x001/000', { level: 1, n: 1000, width: 256 }],
    ['tile/2/x001/x234/067', { level: 2, n: 1_234_067, width: 256 }],
    ['tile/entries/x001/x234/067.p/8', { level: 'entries', n: 1_234_067, width: 8 }],
    ['tile/63/x999/x999/x999/x999/999', { level: 63, n: 999_999_999_999_999, width: 256 }],
  ])('%s', (path, tile) => {
    expect(tilePath(tile)).toBe(path)
    expect(parseTilePath(path)).toEqual(tile)
  })

  test('any tile reads as it was written', () => {
    const level = fc.oneof(fc.constant('entries' as const), fc.nat(63))
    fc.assert(
      fc.property(level, fc.nat(10 ** 15 - 1), fc.integer({ min: 1, max: 256 }), (level, n, width) => {
        expect(parseTilePath(tilePath({ level, n, width }))).toEqual({ level, n, width })
      }),
    )
  })

  test.each([
    '',
    'tile/0',
    'tile/0/',
    'tile/0/0',
    'tile/0/00',
    'tile/0/0000',
    'tile/0/x001',
    'tile/0/001/002',
    'tile/0/x000/001',
    'tile/0/x001/x002',
    'tile/0/x1000/000',
    'tile/00/000',
    'tile/01/000',
    'tile/64/000',
    'tile/-1/000',
    'tile/+1/000',
    'tile/data/000',
    'tile/0/000.p/0',
    'tile/0/000.p/01',
    'tile/0/000.p/256',
    'tile/0/000.p/257',
    'tile/0/000.p/1000',
    'tile/0/000.p/',
    'tile/0/000.p',
    'tile/0/000/.p/1',
    'tile/0/000/',
    'tile/0/000\n',
    '/tile/0/000',
    'tile/0/x001/x000/x000/x000/x000/000',
    'tile/0/٠٠٠',
  ])('%j is refused', (path) => {
    expect(() => parseTilePath(path)).toThrow(
      expect.objectContaining({ name: 'LogError', code: 'tile_path_malformed' }),
    )
  })
})

test('a full tile hashes to its subtree; a partial one is hashed into nothing', () => {
  const { readNode } = memoryTree(Array.from({ length: TILE_WIDTH }, (_, i) => Buffer.from(`${i}`)))
  const tile = Buffer.concat(Array.from({ length: TILE_WIDTH }, (_, i) => readNode(0, i)))
  expect(hashTile(tile)).toEqual(treeHash(TILE_WIDTH, readNode))
  expect(() => hashTile(tile.subarray(32))).toThrow('full tiles')
})
