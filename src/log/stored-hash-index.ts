import assert from 'node:assert'

/**
 * Where the `n`th complete subtree of 2^`level` entries stands in one dense sequence in which every hash follows
 * those that it is made of: Crosby and Wallach, "Efficient Data Structures for Tamper-Evident Logging" (2009), §3.3;
 * the same numbers as StoredHashIndex in golang.org/x/mod/sumdb/tlog.
 */
export function storedHashIndex(level: number, n: number): number {
  // A subtree is stored right after its last leaf and the smaller subtrees that end there.
  const lastLeaf = (n + 1) * 2 ** level - 1
  // Before leaf m stand m leaves, m/2 subtrees of level 1, m/4 of level 2 …, each rounded down.
  let index = level
  for (let count = lastLeaf; count > 0; count = Math.floor(count / 2)) index += count
  assert(Number.isSafeInteger(index), 'hash positions stay exact')
  return index
}

/** How many hashes a tree of `size` entries stores. */
export function storedHashCount(size: number): number {
  let count = 0
  for (let subtrees = size; subtrees > 0; subtrees = Math.floor(subtrees / 2)) count += subtrees
  return count
}
