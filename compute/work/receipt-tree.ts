import assert from 'node:assert/strict'
import { hashInto } from '@chainsafe/hashtree'
import { HASH_BYTES, MAX_LEAVES } from './receipt-path.ts'

/** Shape of the tree: docs/PROTOCOL.md §3. Paths are views into it, not to be written to. */
interface ReceiptTree {
  readonly root: Uint8Array
  path(index: number): Uint8Array[]
}

/** Hashes whole levels at once, each a flat array: 64-byte nodes are what hashtree is made for. */
export function buildReceiptTree(leaves: readonly Uint8Array[]): ReceiptTree {
  assert(leaves.length >= 1 && leaves.length <= MAX_LEAVES)
  const bottom = new Uint8Array(leaves.length * HASH_BYTES)
  leaves.forEach((leaf, index) => {
    assert(leaf.length === HASH_BYTES)
    bottom.set(leaf, index * HASH_BYTES)
  })
  const below: Level[] = []
  let level = bottom
  while (level.length > HASH_BYTES) {
    below.push({ hashes: level, views: new Array(level.length / HASH_BYTES) })
    level = levelAbove(level)
  }
  return {
    root: level,
    path(index) {
      assert(Number.isInteger(index) && index >= 0 && index < leaves.length)
      return pathFrom(below, index)
    },
  }
}

/** A node's view is made at its first use and kept: neighbours share most of their paths. */
interface Level {
  readonly hashes: Uint8Array
  readonly views: (Uint8Array | undefined)[]
}

export function treeRoot(leaves: readonly Uint8Array[]): Uint8Array {
  return buildReceiptTree(leaves).root
}

/** Siblings from the leaf up, none where the node is promoted. Many paths of one tree: `buildReceiptTree`. */
export function provePath(leaves: readonly Uint8Array[], index: number): Uint8Array[] {
  return buildReceiptTree(leaves).path(index)
}

function levelAbove(level: Uint8Array): Uint8Array<ArrayBuffer> {
  const count = level.length / HASH_BYTES
  const pairs = count >> 1
  const above = new Uint8Array((count - pairs) * HASH_BYTES)
  hashInto(level.subarray(0, pairs * 2 * HASH_BYTES), above.subarray(0, pairs * HASH_BYTES))
  // Promoted, never duplicated: duplicating lets two leaf lists share a root (CVE-2012-2459).
  if (count & 1) above.set(level.subarray(-HASH_BYTES), pairs * HASH_BYTES)
  return above
}

/** A million paths take twenty million steps: no iterator in here. */
function pathFrom(below: readonly Level[], index: number): Uint8Array[] {
  const path: Uint8Array[] = []
  let sibling = index ^ 1
  for (let height = 0; height < below.length; height += 1) {
    const level = below[height]
    if (level !== undefined && sibling < level.views.length) path.push(viewOf(level, sibling))
    sibling = (sibling >> 1) ^ 1
  }
  return path
}

function viewOf({ hashes, views }: Level, position: number): Uint8Array {
  const known = views[position]
  if (known !== undefined) return known
  const view = hashes.subarray(position * HASH_BYTES, (position + 1) * HASH_BYTES)
  views[position] = view
  return view
}
