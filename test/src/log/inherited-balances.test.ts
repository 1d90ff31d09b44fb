import { describe, expect, test } from 'vitest'
import { encodeCbor } from '../../../compute/work/canonical-cbor.ts'
import { sha256 } from '../../../compute/work/tagged-hash.ts'
import {
  encodeInheritedBalances,
  inheritedMsat,
  parseInheritedBalances,
} from '../../../src/log/inherited-balances.ts'
import vector from '../../vectors/inherited-balances.json' with { type: 'json' }

const bytes = new Uint8Array(Buffer.from(vector.bytes, 'hex'))

test('the vector parses to its fields, encodes to its bytes and hashes to its name', () => {
  const balances = parseInheritedBalances(bytes)
  expect(balances.coins.map(({ sats }) => `${sats}`)).toEqual(
    vector.balances.coins.map(({ sats }) => sats.int),
  )
  expect(balances.workers.map(({ worker }) => Buffer.from(worker).toString('hex'))).toEqual(
    vector.balances.workers.map(({ worker }) => worker.hex),
  )
  expect(Buffer.from(encodeInheritedBalances(balances)).toString('hex')).toBe(vector.bytes)
  expect(Buffer.from(sha256(bytes)).toString('hex')).toBe(vector.digest)
  expect(inheritedMsat(balances)).toBe(1_500n + 9_007_199_254_740_993n + 1n)
})

describe('refused is', () => {
  const malformed = expect.objectContaining({ name: 'ZodError' })
  const map = () => ({ ...Object(parseInheritedBalances(bytes)) })

  test.each(['v', 'treasury', 'coins', 'requesters', 'workers'])('a map without %s', (key) => {
    const { [key]: _dropped, ...rest } = map()
    expect(() => parseInheritedBalances(encodeCbor(rest))).toThrow(malformed)
    expect(() => parseInheritedBalances(encodeCbor({ ...map(), [key]: 2 }))).toThrow(malformed)
  })

  test('an unknown key, or bytes after the map', () => {
    expect(() => parseInheritedBalances(encodeCbor({ ...map(), more: 1 }))).toThrow(malformed)
    expect(() => parseInheritedBalances(Uint8Array.of(...bytes, 0))).toThrow(
      expect.objectContaining({ name: 'CborError' }),
    )
  })

  test.each(['', 'Ann', 'ann/matured', 'anonymous'])('a requester that is called %j', (requester) => {
    expect(() =>
      parseInheritedBalances(encodeCbor({ ...map(), requesters: [{ requester, msat: 1 }] })),
    ).toThrow(malformed)
  })

  test('less than nothing', () => {
    expect(() =>
      parseInheritedBalances(encodeCbor({ ...map(), requesters: [{ requester: 'ann', msat: -1 }] })),
    ).toThrow(malformed)
  })
})
