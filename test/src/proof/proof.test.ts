import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeCbor, encodeCbor } from '../../../compute/work/canonical-cbor.ts'
import { isKeyName } from '../../../src/log/note-key.ts'
import { buildProof } from '../../../src/proof/build-proof.ts'
import { encodeProof, type Proof, parseProof } from '../../../src/proof/proof.ts'
import { makeLog, makeProof, makeSubmission } from './synthetic-proof.ts'

const MAX_PROOF_BYTES = 16_384
const bytesOf = (minLength: number, maxLength = minLength) => fc.uint8Array({ minLength, maxLength })
const hashes = fc.array(bytesOf(32), { maxLength: 53 })

const anyProof: fc.Arbitrary<Proof> = fc.record({
  receipt: bytesOf(0, 1_024),
  receiptPath: hashes,
  submission: bytesOf(0, 512),
  signature: bytesOf(64),
  receipts: bytesOf(32),
  entryIndex: fc.maxSafeNat(),
  logPath: hashes,
  origin: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 100 }).filter(isKeyName),
  size: fc.maxSafeNat(),
  logSignature: bytesOf(64),
  logKey: bytesOf(32),
  anchorIndex: fc.integer({ min: 0, max: 0xffff_ffff }),
  internalKey: bytesOf(32),
  anchor: bytesOf(0, 1_000),
  branch: fc.record({ position: fc.maxSafeNat(), siblings: hashes }),
  header: bytesOf(80),
  height: fc.maxSafeNat(),
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
/** In the order of the file. */
const FIELDS = [
  'v',
  'receipt',
  'receiptPath',
  'submission',
  'signature',
  'receipts',
  'entryIndex',
  'logPath',
  'origin',
  'size',
  'logSignature',
  'logKey',
  'anchorIndex',
  'internalKey',
  'anchor',
  'position',
  'siblings',
  'header',
  'height',
] as const
const listOf = (): unknown[] => {
  const list = decodeCbor(encodeProof(proof), { maxBytes: MAX_PROOF_BYTES })
  return Array.isArray(list) ? list : []
}

test('the file is the list of the fields, each in its place', () => {
  const { branch, receiptPath, logPath, ...rest } = proof
  const fields: Record<(typeof FIELDS)[number], unknown> = {
    ...rest,
    v: 1,
    receiptPath: Buffer.concat(receiptPath),
    logPath: Buffer.concat(logPath),
    position: branch.position,
    siblings: Buffer.concat(branch.siblings),
  }
  expect(Buffer.from(encodeCbor(FIELDS.map((field) => fields[field])))).toEqual(
    Buffer.from(encodeProof(proof)),
  )
})

test.each<[label: string, field: (typeof FIELDS)[number], value: unknown]>([
  ['another version', 'v', 2],
  ['text for a receipt', 'receipt', 'text'],
  ['a receipt too long', 'receipt', new Uint8Array(1_025)],
  ['half a hash in the receipt path', 'receiptPath', new Uint8Array(33)],
  ['too many hashes in the receipt path', 'receiptPath', new Uint8Array(54 * 32)],
  ['a list for the receipt path', 'receiptPath', []],
  ['a submission header too long', 'submission', new Uint8Array(513)],
  ['a short signature', 'signature', new Uint8Array(63)],
  ['a long digest of receipts', 'receipts', new Uint8Array(33)],
  ['a negative entry index', 'entryIndex', -1],
  ['an entry index of 2^53', 'entryIndex', 2n ** 53n],
  ['half a hash in the log path', 'logPath', new Uint8Array(31)],
  ['no origin', 'origin', ''],
  ['an origin of two lines', 'origin', 'assay.example\n1'],
  ['an origin too long', 'origin', 'x'.repeat(256)],
  ['a negative size', 'size', -1],
  ['a long log signature', 'logSignature', new Uint8Array(65)],
  ['a short log key', 'logKey', new Uint8Array(31)],
  ['an anchor index of 2^32', 'anchorIndex', 2 ** 32],
  ['a long internal key', 'internalKey', new Uint8Array(33)],
  ['an anchor too long', 'anchor', new Uint8Array(1_001)],
  ['a negative position', 'position', -1],
  ['half a hash in the branch', 'siblings', new Uint8Array(31)],
  ['a short header', 'header', new Uint8Array(79)],
  ['a long header', 'header', new Uint8Array(81)],
  ['no height', 'height', null],
])('%s is malformed, and the error names the field', (_label, field, value) => {
  const parse = () => parseProof(encodeCbor(listOf().with(FIELDS.indexOf(field), value)))
  expect(parse).toThrow(malformed)
  expect(parse).toThrow(`proof: ${field}: `)
})

test.each<[label: string, value: unknown]>([
  ['a list without its last field', listOf().slice(0, -1)],
  ['a list with one field more', [...listOf(), 0]],
  ['a map', { v: 1 }],
  ['an empty list', []],
])('%s is malformed', (_label, value) => {
  expect(() => parseProof(encodeCbor(value))).toThrow(malformed)
})

test('what could not be read back is not written', () => {
  expect(() => encodeProof({ ...proof, header: new Uint8Array(79) })).toThrow(malformed)
})

test.each(['raw', 'height', 'header', 'branch'] as const)(
  'a proof is built of an anchor in a block, and there is none without %s',
  (field) => {
    const { receipt, receiptPath, entry } = makeSubmission(5, 3)
    const { logPath, checkpoint, logKey } = makeLog(entry, 4, 6)
    const { internalKey } = proof
    const parts = { receipt, receiptPath, entry, entryIndex: 4, logPath, checkpoint, logKey, internalKey }
    const { anchorIndex: index, anchor: raw, height, header, branch } = proof
    const anchor = { index, raw, height, header, branch }
    const built = buildProof({ ...parts, anchor })
    // Workers sign at random, so entry and head are others than the first proof's.
    const { signature, logSignature } = built
    expect(built).toEqual({ ...proof, signature, logSignature })
    expect(() => buildProof({ ...parts, anchor: { ...anchor, [field]: null } })).toThrow(
      expect.objectContaining({ code: 'anchor_not_mined' }),
    )
  },
)
