import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkPath, receiptLeaf } from '../../../compute/work/receipt-path.ts'
import { buildReceiptTree, provePath, treeRoot } from '../../../compute/work/receipt-tree.ts'
import { sha256 } from '../../../compute/work/tagged-hash.ts'
import { readVector, toHex } from './read-vector.ts'

const vector = readVector<{ trees: { count: number; root: string; paths: string[][] }[] }>('tree')
const leavesOf = (count: number) =>
  Array.from({ length: count }, (_, i) => receiptLeaf(sha256(new Uint8Array([i]))))
const refused = expect.objectContaining({ name: 'TreePathError', code: 'path_malformed' })

describe('receipt tree', () => {
  test.each(vector.trees)(
    'of $count leaves has the root and paths of the vector',
    ({ count, root, paths }) => {
      const leaves = leavesOf(count)
      expect(toHex(treeRoot(leaves))).toBe(root)
      expect(leaves.map((_, index) => provePath(leaves, index).map(toHex))).toEqual(paths)
    },
  )

  test('of every size up to 70: each path leads to the root, and no corrupted element does', () => {
    for (let count = 1; count <= 70; count++) {
      const leaves = leavesOf(count)
      const tree = buildReceiptTree(leaves)
      const root = toHex(tree.root)
      for (const [index, leaf] of leaves.entries()) {
        const path = tree.path(index)
        expect(toHex(checkPath(leaf, index, count, path))).toBe(root)
        for (const at of path.keys()) {
          const corrupted = path.map((hash, i) => (i === at ? flipped(hash, (index + at) % 32) : hash))
          expect(toHex(checkPath(leaf, index, count, corrupted))).not.toBe(root)
        }
        if (count > 1) expect(toHex(checkPath(flipped(leaf, 0), index, count, path))).not.toBe(root)
      }
    }
  })

  test('has another root whenever a leaf is changed, moved, dropped or repeated', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 40 }), fc.nat(), (count, seed) => {
        const leaves = leavesOf(count)
        const at = seed % count
        const next = (at + 1) % count
        const others = [
          leaves.map((leaf, i) => (i === at ? flipped(leaf, 31) : leaf)),
          leaves.map((leaf, i) => leaves[i === at ? next : i === next ? at : i] ?? leaf),
          leaves.toSpliced(at, 1),
          // CVE-2012-2459: a tree that duplicates its last node can't tell these apart.
          [...leaves, ...leaves.slice(-1)],
        ]
        for (const other of others) expect(toHex(treeRoot(other))).not.toBe(toHex(treeRoot(leaves)))
      }),
    )
  })

  test.each([
    ['a path one short', 4, 8, (path: Uint8Array[]) => path.slice(1)],
    ['a path one long', 4, 8, (path: Uint8Array[]) => [...path, new Uint8Array(32)]],
    ['an element of 31 bytes', 4, 8, (path: Uint8Array[]) => path.map((hash) => hash.subarray(1))],
    ['an index at the count', 8, 8, (path: Uint8Array[]) => path],
    ['a negative index', -1, 8, (path: Uint8Array[]) => path],
    ['a broken index', 0.5, 8, (path: Uint8Array[]) => path],
    ['no leaves', 0, 0, (path: Uint8Array[]) => path],
    ['more leaves than any tree has', 0, 2 ** 20 + 1, (path: Uint8Array[]) => path],
    ['a count whose tree is deeper', 4, 9, (path: Uint8Array[]) => path],
  ])('refuses %s', (_what, index, count, change) => {
    const leaves = leavesOf(8)
    const path = change(provePath(leaves, 4))
    expect(() => checkPath(leaves[4] ?? new Uint8Array(), index, count, path)).toThrow(refused)
  })

  test('refuses a leaf that is no hash', () => {
    expect(() => checkPath(new Uint8Array(64), 0, 1, [])).toThrow(refused)
  })

  test('proves from 100,003 leaves as it does from few', () => {
    const leaves = Array.from({ length: 100_003 }, (_, i) => sha256(Buffer.from(String(i))))
    const tree = buildReceiptTree(leaves)
    for (const index of [0, 1, 65_535, 65_536, 100_001, 100_002]) {
      const leaf = leaves[index] ?? new Uint8Array()
      expect(checkPath(leaf, index, leaves.length, tree.path(index))).toEqual(Buffer.from(tree.root))
    }
  })
})

function flipped(bytes: Uint8Array, index: number): Uint8Array {
  return Uint8Array.from(bytes, (byte, at) => (at === index ? byte ^ 1 : byte))
}
