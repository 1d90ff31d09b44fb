import assert from 'node:assert'
import { hash } from 'node:crypto'
import { LogError } from './log-error.ts'

/** Bytes of a SHA-256 hash. */
export const HASH_BYTES = 32

/**
 * Reads the hash of a complete subtree: the `n`th of those over 2^`level` entries.
 * One at a time, where golang.org/x/mod/sumdb/tlog reads lists: ours come from memory or SQLite, never from afar.
 */
export type NodeReader = (level: number, n: number) => Uint8Array

const LEAF_PREFIX = Uint8Array.of(0x00)
const NODE_PREFIX = Uint8Array.of(0x01)

/** RFC 6962 §2.1: the hash of an entry. */
export function leafHash(entry: Uint8Array): Uint8Array {
  return hash('sha256', Buffer.concat([LEAF_PREFIX, entry]), 'buffer')
}

/** RFC 6962 §2.1: the hash of two subtrees, 32 bytes each. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  return hash('sha256', Buffer.concat([NODE_PREFIX, left, right]), 'buffer')
}

/**
 * The hashes of all complete subtrees that end with entry `index`: its leaf (level 0) first, then level 1 and up
 * as far as the trailing one bits of `index` go. Under two on average, so that appending is cheap.
 */
export function completedNodes(index: number, leaf: Uint8Array, readNode: NodeReader): Uint8Array[] {
  const completed = [leaf]
  let node = leaf
  for (let level = 0, n = index; n % 2 === 1; level += 1, n = (n - 1) / 2) {
    node = nodeHash(readNode(level, n - 1), node)
    completed.push(node)
  }
  return completed
}

/** RFC 6962 §2.1: the root of the first `size` entries; SHA-256 of nothing for the empty tree. */
export function treeHash(size: number, readNode: NodeReader): Uint8Array {
  return size === 0 ? hash('sha256', '', 'buffer') : rangeHash(0, size, readNode)
}

/** RFC 6962 §2.1.1: the audit path of entry `index` in the tree of `size` entries, from the leaf up. */
export function proveRecord(index: number, size: number, readNode: NodeReader): Uint8Array[] {
  assert(0 <= index && index < size, 'a record is proved within its tree')
  return recordPath(0, size, index, readNode)
}

/** RFC 6962 §2.1.2: that the tree of `newSize` entries begins with all of the tree of `oldSize` ≥ 1 entries. */
export function proveTree(oldSize: number, newSize: number, readNode: NodeReader): Uint8Array[] {
  assert(0 < oldSize && oldSize <= newSize, 'a tree is proved to begin with a smaller one that is not empty')
  return treePath(0, newSize, oldSize, readNode)
}

/**
 * Checks that the tree of `size` entries with `root` has `leaf` at `index`. Nothing about the arguments is believed.
 *
 * @throws LogError `proof_invalid`
 */
export function checkRecord(
  proof: readonly Uint8Array[],
  size: number,
  root: Uint8Array,
  index: number,
  leaf: Uint8Array,
): void {
  if (!isHash(root) || !equal(recordRoot(proof, size, index, leaf), root)) throw invalidProof('record')
}

/**
 * The root that a proof of `leaf` at `index` leads to in a tree of `size` entries, for who has the root's signature
 * rather than the root. Nothing about the arguments is believed.
 *
 * @throws LogError `proof_invalid` for a proof that can't be one for this place
 */
export function recordRoot(
  proof: readonly Uint8Array[],
  size: number,
  index: number,
  leaf: Uint8Array,
): Uint8Array {
  const inRange = Number.isSafeInteger(size) && Number.isSafeInteger(index) && 0 <= index && index < size
  if (!inRange || ![leaf, ...proof].every(isHash)) throw invalidProof('record')
  return runRecordPath(proof, 0, size, index, leaf)
}

/**
 * Checks that the tree of `newSize` entries with `newRoot` begins with all entries of the tree of `oldSize` with
 * `oldRoot`. A proof from the empty tree says nothing and is refused, as golang.org/x/mod/sumdb/tlog does.
 *
 * @throws LogError `proof_invalid`
 */
export function checkTree(
  proof: readonly Uint8Array[],
  newSize: number,
  newRoot: Uint8Array,
  oldSize: number,
  oldRoot: Uint8Array,
): void {
  const inRange =
    Number.isSafeInteger(newSize) && Number.isSafeInteger(oldSize) && 0 < oldSize && oldSize <= newSize
  if (!inRange || ![oldRoot, newRoot, ...proof].every(isHash)) throw invalidProof('tree')
  const implied = runTreePath(proof, 0, newSize, oldSize, oldRoot)
  if (!equal(implied.oldHash, oldRoot) || !equal(implied.newHash, newRoot)) throw invalidProof('tree')
}

/** k of RFC 6962: the largest power of two smaller than `count` ≥ 2. No logarithm: it rounds near 2^53. */
function splitPoint(count: number): number {
  let k = 1
  while (k * 2 < count) k *= 2
  return k
}

function rangeHash(from: number, to: number, readNode: NodeReader): Uint8Array {
  let level = 0
  let width = 1
  while (width * 2 <= to - from) {
    width *= 2
    level += 1
  }
  const left = readNode(level, from / width)
  return from + width === to ? left : nodeHash(left, rangeHash(from + width, to, readNode))
}

function recordPath(from: number, to: number, index: number, readNode: NodeReader): Uint8Array[] {
  if (from + 1 === to) return []
  const middle = from + splitPoint(to - from)
  return index < middle
    ? [...recordPath(from, middle, index, readNode), rangeHash(middle, to, readNode)]
    : [...recordPath(middle, to, index, readNode), rangeHash(from, middle, readNode)]
}

function treePath(from: number, to: number, oldSize: number, readNode: NodeReader): Uint8Array[] {
  // The old tree itself is known to who checks; any other range that both trees hold whole is sent.
  if (oldSize === to) return from === 0 ? [] : [rangeHash(from, to, readNode)]
  const middle = from + splitPoint(to - from)
  return oldSize <= middle
    ? [...treePath(from, middle, oldSize, readNode), rangeHash(middle, to, readNode)]
    : [...treePath(middle, to, oldSize, readNode), rangeHash(from, middle, readNode)]
}

/** The hash of entries [from, to) that `proof` implies; the proof's last hash is the sibling nearest the root. */
function runRecordPath(
  proof: readonly Uint8Array[],
  from: number,
  to: number,
  index: number,
  leaf: Uint8Array,
): Uint8Array {
  const sibling = proof.at(-1)
  if (from + 1 === to) {
    if (sibling !== undefined) throw invalidProof('record')
    return leaf
  }
  if (sibling === undefined) throw invalidProof('record')
  const rest = proof.slice(0, -1)
  const middle = from + splitPoint(to - from)
  return index < middle
    ? nodeHash(runRecordPath(rest, from, middle, index, leaf), sibling)
    : nodeHash(sibling, runRecordPath(rest, middle, to, index, leaf))
}

/** The hashes of entries [from, to) in the old and in the new tree that `proof` implies. */
function runTreePath(
  proof: readonly Uint8Array[],
  from: number,
  to: number,
  oldSize: number,
  oldRoot: Uint8Array,
): { oldHash: Uint8Array; newHash: Uint8Array } {
  const sibling = proof.at(-1)
  const rest = proof.slice(0, -1)
  if (oldSize === to) {
    const known = from === 0 ? oldRoot : sibling
    if (known === undefined || proof.length !== (from === 0 ? 0 : 1)) throw invalidProof('tree')
    return { oldHash: known, newHash: known }
  }
  if (sibling === undefined) throw invalidProof('tree')
  const middle = from + splitPoint(to - from)
  if (oldSize <= middle) {
    const left = runTreePath(rest, from, middle, oldSize, oldRoot)
    return { oldHash: left.oldHash, newHash: nodeHash(left.newHash, sibling) }
  }
  const right = runTreePath(rest, middle, to, oldSize, oldRoot)
  return { oldHash: nodeHash(sibling, right.oldHash), newHash: nodeHash(sibling, right.newHash) }
}

function isHash(bytes: Uint8Array): boolean {
  return bytes.length === HASH_BYTES
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}

function invalidProof(kind: 'record' | 'tree'): LogError {
  return new LogError('proof_invalid', `invalid ${kind} proof`)
}
