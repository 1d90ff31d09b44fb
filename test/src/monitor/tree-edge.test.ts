import fc from 'fast-check'
import { expect, test } from 'vitest'
import { leafHash, treeHash } from '../../../src/log/rfc6962.ts'
import { edgeLength, openTreeEdge, type TreeEdge } from '../../../src/monitor/tree-edge.ts'
import { memoryTree } from '../log/memory-tree.ts'
import { numberedEntries } from '../log/temporary-log.ts'

const ENTRIES = numberedEntries(300)
const { readNode } = memoryTree(ENTRIES)

function grow(edge: TreeEdge, to: number): TreeEdge {
  for (const entry of ENTRIES.slice(edge.size(), to)) edge.append(leafHash(entry))
  return edge
}

test('at every size its root is that of the whole tree', () => {
  const edge = openTreeEdge()
  for (let size = 0; size <= ENTRIES.length; size += 1) {
    expect(grow(edge, size).root()).toEqual(treeHash(size, readNode))
    expect(edge.size()).toBe(size)
    expect(edge.hashes().length).toBe(edgeLength(size))
  }
})

test('taken up again from its hashes it goes on as if it had never been put down', () => {
  const sizes = fc.tuple(fc.nat(300), fc.nat(300)).map((pair) => pair.toSorted((a, b) => a - b))
  fc.assert(
    fc.property(sizes, ([first = 0, second = 0]) => {
      const resumed = openTreeEdge(first, [...grow(openTreeEdge(), first).hashes()])
      expect(grow(resumed, second).root()).toEqual(treeHash(second, readNode))
    }),
  )
})

test('it keeps its own list: growing one changes nothing of the hashes it was opened with', () => {
  const hashes = [...grow(openTreeEdge(), 7).hashes()]
  grow(openTreeEdge(7, hashes), 8)
  expect(hashes.length).toBe(3)
})

test.each([
  [0, 0],
  [1, 1],
  [7, 3],
  [256, 1],
  [2 ** 53 - 1, 53],
])('a tree of %i entries has an edge of %i hashes', (size, length) => {
  expect(edgeLength(size)).toBe(length)
})

test('another number of hashes than the size asks for is a bug', () => {
  expect(() => openTreeEdge(3, [new Uint8Array(32)])).toThrow('one hash for each')
})
