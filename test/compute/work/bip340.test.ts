import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { checkHashSignature, signHash } from '../../../compute/work/bip340.ts'
import { newWorkerKey, publicKeyOf } from '../../../compute/work/worker-key.ts'
import { fromHex, toHex } from './read-vector.ts'

// bitcoin/bips, bip-0340/test-vectors.csv (CC0 among its licences), rows 0 to 14: those with 32-byte messages.
const rows = readFileSync(new URL('./bip340-vectors.csv', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .slice(1)
  .map((line) => {
    const [index = '', secretKey = '', publicKey = '', aux = '', message = '', signature = '', result = ''] =
      line.toLowerCase().split(',')
    return { index, secretKey, publicKey, aux, message, signature, valid: result === 'true' }
  })

describe('BIP-340 test vectors', () => {
  test('all fifteen are there, five of them valid', () => {
    expect(rows).toHaveLength(15)
    expect(rows.filter(({ valid }) => valid)).toHaveLength(5)
  })

  test.each(rows)('row $index verifies: $valid', ({ publicKey, message, signature, valid }) => {
    expect(checkHashSignature(fromHex(message), fromHex(publicKey), fromHex(signature))).toBe(valid)
  })

  test.each(rows.filter(({ secretKey }) => secretKey !== ''))('row $index signs', (row) => {
    expect(toHex(publicKeyOf(fromHex(row.secretKey)))).toBe(row.publicKey)
    expect(toHex(signHash(fromHex(row.message), fromHex(row.secretKey), fromHex(row.aux)))).toBe(
      row.signature,
    )
  })
})

describe('checkHashSignature', () => {
  const secretKey = newWorkerKey()
  const hash = new Uint8Array(32).fill(1)
  const signature = signHash(hash, secretKey)

  test('holds for a fresh key, and for no other', () => {
    expect(checkHashSignature(hash, publicKeyOf(secretKey), signature)).toBe(true)
    expect(checkHashSignature(hash, publicKeyOf(newWorkerKey()), signature)).toBe(false)
  })

  test.each([0, 31, 32, 63])('fails with byte %i of the signature flipped', (index) => {
    const broken = Uint8Array.from(signature, (byte, at) => (at === index ? byte ^ 1 : byte))
    expect(checkHashSignature(hash, publicKeyOf(secretKey), broken)).toBe(false)
  })

  test.each([
    ['an empty signature', publicKeyOf(secretKey), new Uint8Array(0)],
    ['a long signature', publicKeyOf(secretKey), new Uint8Array(65)],
    ['a 33-byte key', new Uint8Array(33).fill(2), signature],
    ['an empty key', new Uint8Array(0), signature],
  ])('is false, not an exception, for %s', (_what, key, bytes) => {
    expect(checkHashSignature(hash, key, bytes)).toBe(false)
  })
})
