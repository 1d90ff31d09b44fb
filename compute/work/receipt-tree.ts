import assert from 'node:assert/strict'
import { hashInto } from '@chainsafe/hashtree'
import { sha256, taggedHash } from './tagged-hash.ts'

const HASH_BYTES = 32
/** 20 levels; far above a submission's 65,536, and positions stay 32-bit integers. */
const MAX_LEAVES = 1 << 20

/** Shape of the tree: docs/PROTOCOL.md §3. Paths are views into it, not to be written to. */
interface ReceiptTree {
  readonly root: Uint8Array
  path(index: number): Uint8Array[]
}

export class TreePathError extends Error {
  readonly code = 'path_malformed'

  constructor(detail: string) {
    super(`receipt tree path: ${detail}`)
    this.name = 'TreePathError'
  }
}

export function receiptLeaf(receiptId: Uint8Array): Uint8Array {
  return taggedHash('assay/receipt', receiptId)
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

/** The root that `path` leads to from `leaf`; the caller compares it. Refuses a path of another length. */
export function checkPath(
  leaf: Uint8Array,
  index: number,
  count: number,
  path: readonly Uint8Array[],
): Uint8Array {
  if (!Number.isInteger(count) || count < 1 || count > MAX_LEAVES) {
    throw new TreePathError(`count ${count} is not 1 to ${MAX_LEAVES}`)
  }
  if (!Number.isInteger(index) || index < 0 || index >= count) {
    throw new TreePathError(`index ${index} is not below count ${count}`)
  }
  if (leaf.length !== HASH_BYTES || path.some((sibling) => sibling.length !== HASH_BYTES)) {
    throw new TreePathError(`a hash is not ${HASH_BYTES} bytes`)
  }
  const siblings = path.values()
  let node = leaf
  let position = index
  for (let width = count; width > 1; width = (width + 1) >> 1) {
    if ((position ^ 1) < width) {
      const { value: sibling } = siblings.next()
      if (sibling === undefined) throw new TreePathError('too short')
      node = sha256(Buffer.concat(position & 1 ? [sibling, node] : [node, sibling]))
    }
    position >>= 1
  }
  if (siblings.next().done !== true) throw new TreePathError('too long')
  return node
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
