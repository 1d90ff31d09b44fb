import { createCipheriv, createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { seededRandom } from '../../../compute/work/seeded-random.ts'

test('reads the AES-CTR key stream of the seed as fractions, across blocks', () => {
  const count = 65_536 / 4 + 10
  const key = createHash('sha256').update('a').digest().subarray(0, 16)
  const stream = createCipheriv('aes-128-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(count * 4))
  const random = seededRandom('a')
  const values = Array.from({ length: count }, random)
  expect(values).toEqual(values.map((_, index) => stream.readUInt32LE(index * 4) / 2 ** 32))
  expect(values.every((value) => value >= 0 && value < 1)).toBe(true)
})

test('differs from seed to seed', () => {
  expect(seededRandom('a')()).not.toBe(seededRandom('b')())
})
