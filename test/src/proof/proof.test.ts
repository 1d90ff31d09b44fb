import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeCbor, encodeCbor } from '../../../compute/work/canonical-cbor.ts'
import { buildProof } from '../../../src/proof/build-proof.ts'
import { encodeProof, type Proof, parseProof } from '../../../src/proof/proof.ts'
import { makeProof } from './synthetic-proof.ts'

const MAX_PROOF_BYTES = 65_536
const bytesOf = (minLength: number, maxLength = minLength) => fc.uint8Array({ minLength, maxLength })
const hashes = fc.array(bytesOf(32), { maxLength: 53 })

const anyProof: fc.Arbitrary<Proof> = fc.record({
  receipt: bytesOf(0, 1_024),
  receiptPath: hashes,
  entry: bytesOf(0, 2_000),
  entryIndex: fc.maxSafeNat(),
  logPath: hashes,
  checkpoint: fc.string({ unit: 'grapheme', maxLength: 100 }),
  logKey: bytesOf(32),
  internalKey: bytesOf(32),
  method: fc.constantFrom('dual' as const, 'taproot' as const),
  anchorIndex: fc.integer({ min: 0, max: 0xffff_ffff }),
  anchor: bytesOf(0, 1_000),
  header: bytesOf(80),
  height: fc.maxSafeNat(),
  branch: fc.record({ position: fc.maxSafeNat(), siblings: hashes }),
})

test('parsing what was encoded gives it back', () => {
  fc.assert(
    fc.property(anyProof, (proof) => {
      expect(parseProof(encodeProof(proof))).toEqual(proof)
    }),
  )
})

const { proof } = makeProof()
const malformed = expect.objectContaining({ name: 'ProofError', code: 'proof_malformed' })
const mapOf = () => ({ ...Object(decodeCbor(encodeProof(proof), { maxBytes: MAX_PROOF_BYTES })) })

test.each<[label: string, key: string, value: unknown]>([
  ['another version', 'v', 2],
  ['text for a receipt', 'receipt', 'text'],
  ['a receipt too long', 'receipt', new Uint8Array(1_025)],
  ['half a hash in the receipt path', 'receiptPath', new Uint8Array(33)],
  ['too many hashes in the receipt path', 'receiptPath', new Uint8Array(54 * 32)],
  ['a list for the receipt path', 'receiptPath', []],
  ['half a hash in the log path', 'logPath', new Uint8Array(31)],
  ['an entry too long', 'entry', new Uint8Array(65_536)],
  ['a negative entry index', 'entryIndex', -1],
  ['an entry index of 2^53', 'entryIndex', 2n ** 53n],
  ['a checkpoint too long', 'checkpoint', 'x'.repeat(1_025)],
  ['a short log key', 'logKey', new Uint8Array(31)],
  ['a long internal key', 'internalKey', new Uint8Array(33)],
  ['an unknown method', 'method', 'both'],
  ['an anchor index of 2^32', 'anchorIndex', 2 ** 32],
  ['an anchor too long', 'anchor', new Uint8Array(1_001)],
  ['a short header', 'header', new Uint8Array(79)],
  ['a long header', 'header', new Uint8Array(81)],
  ['no height', 'height', null],
  ['a branch without siblings', 'branch', { position: 0 }],
  ['half a hash in the branch', 'branch', { position: 0, siblings: new Uint8Array(31) }],
  ['a negative position', 'branch', { position: -1, siblings: new Uint8Array(32) }],
  ['an unknown key in the branch', 'branch', { position: 0, siblings: new Uint8Array(32), extra: 1 }],
  ['an unknown key', 'extra', 1],
])('%s is malformed', (_label, key, value) => {
  expect(() => parseProof(encodeCbor({ ...mapOf(), [key]: value }))).toThrow(malformed)
})

test('a missing key is malformed', () => {
  for (const key of Object.keys(mapOf())) {
    const { [key]: _dropped, ...rest } = mapOf()
    expect(() => parseProof(encodeCbor(rest)), key).toThrow(malformed)
  }
})

test('what could not be read back is not written', () => {
  expect(() => encodeProof({ ...proof, header: new Uint8Array(79) })).toThrow(malformed)
})

test.each(['raw', 'height', 'header', 'branch'] as const)(
  'there is no proof of an anchor without %s',
  (key) => {
    const { anchorIndex: index, anchor: raw, height, header, branch, ...parts } = proof
    const anchor = { index, raw, height, header, branch, [key]: null }
    expect(() => buildProof({ ...parts, anchor })).toThrow(
      expect.objectContaining({ code: 'anchor_not_mined' }),
    )
  },
)
