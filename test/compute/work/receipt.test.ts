import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encodeCbor } from '../../../compute/work/canonical-cbor.ts'
import type { Receipt } from '../../../compute/work/receipt.ts'
import { encodeReceipt, outputCommitment, parseReceipt, receiptId } from '../../../compute/work/receipt.ts'
import { receiptLeaf } from '../../../compute/work/receipt-path.ts'
import { bundleDigest } from '../../../compute/work/tensor-bundle.ts'
import { fromHex, readVector, toHex } from './read-vector.ts'

const vector = readVector<{
  outputBundle: string
  receipts: [Vector, ...Vector[]]
}>('receipt')
interface Vector {
  salt: string
  receipt: Receipt
  bytes: string
  id: string
  leaf: string
}
const [{ receipt: good }] = vector.receipts
const refused = expect.objectContaining({ name: 'ReceiptError', code: 'receipt_malformed' })

describe('receipt', () => {
  test.each(vector.receipts)('has the bytes, id, leaf and output commitment of vector %#', (expected) => {
    const bytes = encodeReceipt(expected.receipt)
    expect(toHex(bytes)).toBe(expected.bytes)
    expect(toHex(receiptId(bytes))).toBe(expected.id)
    expect(toHex(receiptLeaf(receiptId(bytes)))).toBe(expected.leaf)
    const digest = bundleDigest(fromHex(vector.outputBundle))
    expect(toHex(outputCommitment(fromHex(expected.salt), digest))).toBe(toHex(expected.receipt.output))
  })

  test('parses to what was encoded', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 10 })
    const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 })
    const receipts = fc.record({
      v: fc.constant(1 as const),
      job: bytes32,
      output: bytes32,
      index: fc.maxSafeNat(),
      profile: fc.record({
        batch: fc.maxSafeNat(),
        device: text,
        optimization: fc.constantFrom('disabled', 'basic', 'extended', 'all'),
        ort: text,
        precision: text,
        provider: fc.constantFrom('cpu', 'cuda', 'webgpu'),
        threads: fc.nat(),
      }),
      started: fc.maxSafeNat(),
      finished: fc.maxSafeNat(),
      energy: fc.record({ method: text, millijoules: fc.option(fc.maxSafeNat()) }),
    })
    fc.assert(
      fc.property(receipts, (receipt) => {
        expect(parseReceipt(encodeReceipt(receipt))).toEqual(receipt)
      }),
    )
  })

  test.each<[string, object]>([
    ['another version', { v: 0 }],
    ['an unknown key', { more: 0 }],
    ['a job of 31 bytes', { job: new Uint8Array(31) }],
    ['an output in text', { output: 'x' }],
    ['a negative index', { index: -1 }],
    ['a negative start', { started: -1 }],
    ['an end above 2^53 − 1', { finished: 2n ** 53n }],
    ['energy without a method', { energy: { millijoules: 1 } }],
    ['energy without joules', { energy: { method: 'nvml' } }],
    ['negative energy', { energy: { method: 'nvml', millijoules: -1 } }],
    ['an unknown provider', { profile: { ...good.profile, provider: 'tpu' } }],
    ['an unknown optimisation', { profile: { ...good.profile, optimization: 'most' } }],
    ['a profile with another key', { profile: { ...good.profile, cores: 2 } }],
    ['a profile without threads', { profile: { ...good.profile, threads: null } }],
    ['more than 1,024 bytes', { profile: { ...good.profile, device: 'd'.repeat(1_000) } }],
  ])('refuses %s', (_what, change) => {
    expect(() => parseReceipt(encodeCbor({ ...good, ...change }))).toThrow(refused)
  })

  test.each(Object.keys(good))('refuses a receipt without %s', (key) => {
    const entries = Object.entries(good).filter(([name]) => name !== key)
    expect(() => parseReceipt(encodeCbor(Object.fromEntries(entries)))).toThrow(refused)
  })

  test('of exactly 1,024 bytes is the longest', () => {
    const withDevice = (letters: number) => ({
      ...good,
      profile: { ...good.profile, device: 'd'.repeat(letters) },
    })
    // 256 letters and more carry a two-byte length.
    const spare = 1_024 - encodeReceipt(withDevice(256)).length
    expect(parseReceipt(encodeReceipt(withDevice(256 + spare)))).toEqual(withDevice(256 + spare))
    expect(() => encodeReceipt(withDevice(257 + spare))).toThrow()
  })
})
