import { expect, test } from 'vitest'
import { storedHashCount, storedHashIndex } from '../../../src/log/stored-hash-index.ts'
import { memoryTree } from './memory-tree.ts'

test('subtrees in the order in which entries complete them have the positions 0, 1, 2 …', () => {
  let position = 0
  for (let entry = 0; entry < 2_000; entry += 1) {
    for (let level = 0, n = entry; ; level += 1, n = (n - 1) / 2) {
      expect(storedHashIndex(level, n)).toBe(position)
      position += 1
      if (n % 2 === 0) break
    }
    expect(storedHashCount(entry + 1)).toBe(position)
  }
})

test('an empty tree stores nothing; a tree stores as many hashes as counted', () => {
  expect(storedHashCount(0)).toBe(0)
  for (const size of [1, 2, 3, 7, 8, 9]) {
    expect(memoryTree(Array.from({ length: size }, () => new Uint8Array())).hashes.length).toBe(
      storedHashCount(size),
    )
  }
})

test('a position that is not exact is a bug', () => {
  expect(storedHashIndex(0, 2 ** 51)).toBe(2 ** 52 - 1)
  expect(() => storedHashIndex(0, 2 ** 53)).toThrow('exact')
})
