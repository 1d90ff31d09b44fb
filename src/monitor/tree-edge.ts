import assert from 'node:assert'
import { sha256 } from '../../compute/work/tagged-hash.ts'
import { nodeHash } from '../log/rfc6962.ts'

/** An RFC 6962 tree that only grows: all that its next roots need of it is its right edge. */
export interface TreeEdge {
  size(): number
  /** `leaf`: a leaf hash. */
  append(leaf: Uint8Array): void
  root(): Uint8Array
  /** Roots of the complete subtrees that the tree is made of, the widest first: one for each one bit of the size. */
  hashes(): readonly Uint8Array[]
}

/** The tree of `startSize` entries with these edge hashes; the empty tree without. */
export function openTreeEdge(startSize = 0, startHashes: readonly Uint8Array[] = []): TreeEdge {
  assert.equal(startHashes.length, edgeLength(startSize), 'one hash for each complete subtree')
  const hashes = [...startHashes]
  let size = startSize

  return {
    size: () => size,
    hashes: () => hashes,

    append(leaf) {
      let node = leaf
      // Every subtree that ends here is as wide as what stands left of it: they join, as a carry does.
      for (let count = size; count % 2 === 1; count = (count - 1) / 2) {
        const left = hashes.pop()
        assert(left !== undefined)
        node = nodeHash(left, node)
      }
      hashes.push(node)
      size += 1
    },

    root() {
      const [last, ...wider] = hashes.toReversed()
      return last === undefined
        ? sha256(new Uint8Array())
        : wider.reduce((right, left) => nodeHash(left, right), last)
    },
  }
}

/** How many complete subtrees a tree of `size` entries is made of. */
export function edgeLength(size: number): number {
  let ones = 0
  for (let rest = size; rest > 0; rest = Math.floor(rest / 2)) ones += rest % 2
  return ones
}
