import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import {
  checkRecord,
  checkTree,
  HASH_BYTES,
  leafHash,
  nodeHash,
  proveRecord,
  proveTree,
  recordRoot,
  treeHash,
} from '../../../src/log/rfc6962.ts'
import vectors from '../../vectors/rfc6962.json' with { type: 'json' }
import { memoryTree } from './memory-tree.ts'

/** Past one split at 64, so that every shape of right edge under it appears. */
const MAX_SIZE = 70

const entries = Array.from({ length: MAX_SIZE }, (_, i) => Buffer.from(`leaf ${i}`))
const { readNode } = memoryTree(entries)
const roots = Array.from({ length: MAX_SIZE + 1 }, (_, size) => treeHash(size, readNode))
const sizes = Array.from({ length: MAX_SIZE }, (_, i) => i + 1)
const invalid = expect.objectContaining({ name: 'LogError', code: 'proof_invalid' })

/** RFC 6962 §2.1, word for word, over the entries themselves. */
function merkleTreeHash(list: readonly Uint8Array[]): Uint8Array {
  const [first, ...others] = list
  if (first === undefined) return createHash('sha256').digest()
  if (others.length === 0) return createHash('sha256').update(Uint8Array.of(0)).update(first).digest()
  const k = 2 ** Math.ceil(Math.log2(list.length) - 1)
  return createHash('sha256')
    .update(Uint8Array.of(1))
    .update(merkleTreeHash(list.slice(0, k)))
    .update(merkleTreeHash(list.slice(k)))
    .digest()
}

function root(size: number): Uint8Array {
  return roots[size] ?? expect.unreachable()
}

function leaf(index: number): Uint8Array {
  return leafHash(entries[index] ?? expect.unreachable())
}

/** Each proof that differs from `proof` in one hash, or by one hash more or less. */
function corruptions(proof: readonly Uint8Array[]): Uint8Array[][] {
  const flipped = proof.map((hash, i) =>
    proof.with(
      i,
      Uint8Array.from(hash, (byte, at) => (at === i ? byte ^ 1 : byte)),
    ),
  )
  const extra = new Uint8Array(HASH_BYTES)
  const shortened = proof.length === 0 ? [] : [proof.slice(1), proof.slice(0, -1)]
  return [...flipped, ...shortened, [...proof, extra], [extra, ...proof]]
}

describe('hashes', () => {
  test.each(vectors.leaves.map((entry, i) => [entry, vectors.leafHashes[i]]))(
    'of Certificate Transparency: leaf %j',
    (entry, hash) => {
      expect(Buffer.from(leafHash(Buffer.from(entry ?? '', 'hex'))).toString('hex')).toBe(hash)
    },
  )

  test.each([...vectors.roots.entries()])(
    'of Certificate Transparency: the root of %i leaves',
    (size, hash) => {
      const tree = memoryTree(vectors.leaves.map((entry) => Buffer.from(entry, 'hex')))
      expect(Buffer.from(treeHash(size, tree.readNode)).toString('hex')).toBe(hash)
    },
  )

  test('a leaf never has the hash of a node over the same bytes', () => {
    const [left, right] = [leaf(0), leaf(1)]
    expect(leafHash(Buffer.concat([left, right]))).not.toEqual(nodeHash(left, right))
  })

  test('the root of every size is that of the definition', () => {
    for (const size of [0, ...sizes]) expect(root(size)).toEqual(merkleTreeHash(entries.slice(0, size)))
  })
})

describe('record proofs', () => {
  test.each(vectors.inclusion)(
    'reference case $title: valid is $valid',
    ({ index, size, root, leaf, proof, valid }) => {
      const bytes = (base64: string) => Buffer.from(base64, 'base64')
      const check = () => checkRecord(proof.map(bytes), size, bytes(root), index, bytes(leaf))
      if (valid) check()
      else expect(check).toThrow(invalid)
    },
  )

  test.each(sizes)('every record of a tree of %i is proved, and no corrupted proof passes', (size) => {
    for (let index = 0; index < size; index += 1) {
      const proof = proveRecord(index, size, readNode)
      checkRecord(proof, size, root(size), index, leaf(index))
      expect(recordRoot(proof, size, index, leaf(index))).toEqual(root(size))
      for (const corrupted of corruptions(proof)) {
        expect(() => checkRecord(corrupted, size, root(size), index, leaf(index))).toThrow(invalid)
      }
      expect(() => checkRecord(proof, size, root(size - 1), index, leaf(index))).toThrow(invalid)
      expect(() => checkRecord(proof, size, root(size), index, leaf((index + 1) % MAX_SIZE))).toThrow(invalid)
      if (size > 1) {
        expect(() => checkRecord(proof, size, root(size), (index + 1) % size, leaf(index))).toThrow(invalid)
      }
    }
  })

  test.each([
    ['an index at the size', 4, 4],
    ['a negative index', 4, -1],
    ['an empty tree', 0, 0],
    ['a fractional index', 4, 0.5],
    ['a size that is not exact', 2 ** 53, 0],
    ['no number', Number.NaN, 0],
  ])('%s is refused', (_title, size, index) => {
    expect(() => checkRecord(proveRecord(0, 4, readNode), size, root(4), index, leaf(0))).toThrow(invalid)
    expect(() => recordRoot(proveRecord(0, 4, readNode), size, index, leaf(0))).toThrow(invalid)
  })

  test('hashes of any other length are refused, even where they join to the same 64 bytes', () => {
    const [left, right] = [leaf(0), leaf(1)]
    const joined = Buffer.concat([left, right])
    checkRecord([right], 2, root(2), 0, left)
    expect(() => checkRecord([joined.subarray(31)], 2, root(2), 0, joined.subarray(0, 31))).toThrow(invalid)
    expect(() => checkRecord([], 1, joined, 0, joined)).toThrow(invalid)
    expect(() => checkTree([joined.subarray(31)], 2, root(2), 1, joined.subarray(0, 31))).toThrow(invalid)
  })

  test('a proof at the largest exact size costs its length, no more', () => {
    const size = Number.MAX_SAFE_INTEGER
    const proof = Array.from({ length: 53 }, () => leaf(0))
    expect(() => checkRecord(proof, size, root(1), size - 1, leaf(0))).toThrow(invalid)
  })
})

describe('tree proofs', () => {
  test.each(vectors.consistency)('reference case $title: valid is $valid', (vector) => {
    const bytes = (base64: string) => Buffer.from(base64, 'base64')
    const { proof, newSize, newRoot, oldSize, oldRoot } = vector
    const check = () => checkTree(proof.map(bytes), newSize, bytes(newRoot), oldSize, bytes(oldRoot))
    if (vector.valid) check()
    else expect(check).toThrow(invalid)
  })

  test.each(sizes)('a tree of %i begins with every smaller one, and no corrupted proof passes', (newSize) => {
    for (let oldSize = 1; oldSize <= newSize; oldSize += 1) {
      const proof = proveTree(oldSize, newSize, readNode)
      checkTree(proof, newSize, root(newSize), oldSize, root(oldSize))
      for (const corrupted of corruptions(proof)) {
        expect(() => checkTree(corrupted, newSize, root(newSize), oldSize, root(oldSize))).toThrow(invalid)
      }
      expect(() => checkTree(proof, newSize, root(newSize), oldSize, root(oldSize - 1))).toThrow(invalid)
      expect(() => checkTree(proof, newSize, root(newSize - 1), oldSize, root(oldSize))).toThrow(invalid)
    }
  })

  test.each([
    ['an empty old tree', 4, 0],
    ['an old tree larger than the new', 4, 5],
    ['a size that is not exact', 2 ** 53, 4],
  ])('%s is refused', (_title, newSize, oldSize) => {
    expect(() => checkTree(proveTree(3, 4, readNode), newSize, root(4), oldSize, root(3))).toThrow(invalid)
    expect(() => checkTree([], newSize, root(4), oldSize, root(4))).toThrow(invalid)
  })
})
