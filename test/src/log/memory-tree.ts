import assert from 'node:assert'
import { completedNodes, leafHash, type NodeReader } from '../../../src/log/rfc6962.ts'
import { storedHashIndex } from '../../../src/log/stored-hash-index.ts'

/** Stores the hashes of a tree over `entries` as the log does, in an array. */
export function memoryTree(entries: readonly Uint8Array[]): { hashes: Uint8Array[]; readNode: NodeReader } {
  const hashes: Uint8Array[] = []
  const readNode: NodeReader = (level, n) => {
    const hash = hashes[storedHashIndex(level, n)]
    assert(hash !== undefined, `hash ${n} of level ${level} is not stored`)
    return hash
  }
  for (const [index, entry] of entries.entries())
    hashes.push(...completedNodes(index, leafHash(entry), readNode))
  return { hashes, readNode }
}
