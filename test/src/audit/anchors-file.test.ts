import { beforeAll, describe, expect, test } from 'vitest'
import { decodeCbor, encodeCbor } from '../../../compute/work/canonical-cbor.ts'
import {
  type AnchorsFile,
  encodeAnchorsFile,
  MAX_ANCHORS,
  parseAnchorsFile,
} from '../../../src/audit/anchors-file.ts'
import { makeChain } from './synthetic-chain.ts'

let file: AnchorsFile
let bytes: Uint8Array
beforeAll(async () => {
  file = (await makeChain()).file
  bytes = encodeAnchorsFile(file)
})

const malformed = expect.objectContaining({ name: 'AuditError', code: 'anchors_malformed' })

/** The file's map, changed. */
function changed(change: (map: Record<string, unknown>) => void): Uint8Array {
  const map = Object(decodeCbor(bytes, { maxBytes: bytes.length }))
  change(map)
  return encodeCbor(map)
}

test('what is written reads back, and writes the same bytes again', () => {
  const read = parseAnchorsFile(bytes)
  expect(encodeAnchorsFile(read)).toEqual(bytes)
  expect(read.anchors.map(({ index, height }) => [index, height])).toEqual([
    [0, 1],
    [1, 2],
    [2, 3],
  ])
  expect(encodeCbor(read.anchors[0]?.branch.siblings)).toEqual(encodeCbor(file.anchors[0]?.branch.siblings))
})

test('a file without anchors is one', () => {
  expect(parseAnchorsFile(encodeAnchorsFile({ genesis: file.genesis, anchors: [] })).anchors).toEqual([])
})

test('fifty thousand anchors are read, and not one more', () => {
  const [anchor] = file.anchors
  if (anchor === undefined) throw new Error('an anchor')
  const small = { ...anchor, checkpoint: '', transaction: new Uint8Array() }
  const most = Array(MAX_ANCHORS).fill(small)
  expect(parseAnchorsFile(encodeAnchorsFile({ ...file, anchors: most })).anchors.length).toBe(MAX_ANCHORS)
  expect(() => encodeAnchorsFile({ ...file, anchors: [...most, small] })).toThrow(malformed)
})

test('a year of anchors takes under ten megabytes', () => {
  const one = encodeAnchorsFile({ ...file, anchors: file.anchors.slice(0, 1) }).length
  const two = encodeAnchorsFile({ ...file, anchors: file.anchors.slice(0, 2) }).length
  // Twelve levels in a block of mainnet, two here.
  expect((two - one + 10 * 32) * 365 * 24).toBeLessThan(10_000_000)
})

describe('refused', () => {
  test('cut at any length, or lengthened', () => {
    for (let length = 0; length < bytes.length; length += 1) {
      expect(() => parseAnchorsFile(bytes.subarray(0, length)), `${length} bytes`).toThrow(malformed)
    }
    expect(() => parseAnchorsFile(Uint8Array.of(...bytes, 0))).toThrow(malformed)
  })

  test.each<[string, (map: Record<string, unknown>) => void]>([
    ['another version', (map) => Object.assign(map, { v: 2 })],
    ['an unknown key', (map) => Object.assign(map, { more: 1 })],
    ['no genesis', (map) => delete map.genesis],
    ['a genesis that is no bytes', (map) => Object.assign(map, { genesis: 'x' })],
    ['a genesis longer than entries are', (map) => Object.assign(map, { genesis: new Uint8Array(65_536) })],
    ['anchors that are no list', (map) => Object.assign(map, { anchors: {} })],
  ])('%s', (_name, change) => {
    expect(() => parseAnchorsFile(changed(change))).toThrow(malformed)
  })

  test.each<[string, Record<string, unknown>]>([
    ['an unknown key', { more: 1 }],
    ['an index above 32 bits', { index: 2 ** 32 }],
    ['a negative index', { index: -1 }],
    ['a checkpoint that is no text', { checkpoint: new Uint8Array(4) }],
    ['a checkpoint of 1,025 characters', { checkpoint: 'x'.repeat(1_025) }],
    ['a transaction of 1,001 bytes', { transaction: new Uint8Array(1_001) }],
    ['a height below zero', { height: -1 }],
    ['a header of 79 bytes', { header: new Uint8Array(79) }],
    ['a header of 81 bytes', { header: new Uint8Array(81) }],
    ['a branch with half a hash', { branch: { position: 0, siblings: new Uint8Array(33) } }],
    ['a branch of 33 hashes', { branch: { position: 0, siblings: new Uint8Array(33 * 32) } }],
    ['a branch with more in it', { branch: { position: 0, siblings: new Uint8Array(), more: 0 } }],
  ])('an anchor with %s', (_name, fields) => {
    const lying = changed((map) => Object.assign(Array.isArray(map.anchors) ? map.anchors[1] : {}, fields))
    expect(() => parseAnchorsFile(lying)).toThrow(malformed)
  })
})
