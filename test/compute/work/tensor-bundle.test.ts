import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeCbor, encodeCbor } from '../../../compute/work/canonical-cbor.ts'
import type { Tensor } from '../../../compute/work/tensor-bundle.ts'
import { bundleDigest, encodeTensorBundle, parseTensorBundle } from '../../../compute/work/tensor-bundle.ts'
import { readVector, toHex } from './read-vector.ts'

const vector = readVector<{ tensors: Tensor[]; bundle: string; digest: string }>('tensor-bundle')

const fp32: Tensor = { name: 'x', datatype: 'FP32', shape: [2, 3], data: new Uint8Array(24) }
const refused = expect.objectContaining({ name: 'TensorError', code: 'tensor_malformed' })

const tensorBody = fc.oneof(
  fc
    .tuple(fc.constantFrom('UINT8', 'BOOL', 'INT8'), fc.array(fc.nat(3), { maxLength: 3 }))
    .map(([datatype, shape]) => ({
      datatype: datatype as 'UINT8',
      shape,
      data: new Uint8Array(shape.reduce((a, b) => a * b, 1)),
    })),
  fc.array(fc.uint8Array({ maxLength: 5 })).map((elements) => ({
    datatype: 'BYTES' as const,
    shape: [elements.length],
    data: Buffer.concat(
      elements.map((bytes) => Buffer.concat([Buffer.from([bytes.length, 0, 0, 0]), bytes])),
    ),
  })),
)
const bundles = fc
  .dictionary(fc.string({ unit: 'grapheme' }), tensorBody, { maxKeys: 6, noNullPrototype: true })
  .map((bodies): Tensor[] => Object.entries(bodies).map(([name, body]) => ({ name, ...body })))

/** null: refused, and rightly named. */
function outcomeOf(parse: () => Tensor[]): Tensor[] | null {
  try {
    return parse()
  } catch (error) {
    expect(error).toEqual(refused)
    return null
  }
}

describe('tensor bundle', () => {
  test('encodes the vector, sorted by UTF-8 bytes', () => {
    const bundle = encodeTensorBundle(vector.tensors)
    expect(toHex(bundle)).toBe(vector.bundle)
    expect(toHex(bundleDigest(bundle))).toBe(vector.digest)
  })

  test('parses to what was encoded, whatever the order', () => {
    fc.assert(
      fc.property(bundles, (tensors) => {
        const bundle = encodeTensorBundle(tensors)
        expect(encodeTensorBundle(tensors.toReversed())).toEqual(bundle)
        const parsed = parseTensorBundle(bundle)
        expect(new Set(parsed.map(({ name }) => name))).toEqual(new Set(tensors.map(({ name }) => name)))
        expect(encodeTensorBundle(parsed)).toEqual(bundle)
      }),
    )
  })

  test('may be empty', () => {
    expect(parseTensorBundle(encodeTensorBundle([]))).toEqual([])
  })

  test.each<[string, unknown]>([
    ['not a list', { a: 1 }],
    ['a missing key', [{ name: 'x', datatype: 'FP32', shape: [0] }]],
    ['an unknown key', [{ ...fp32, more: 1 }]],
    ['an unknown datatype', [{ ...fp32, datatype: 'FP8' }]],
    ['a number for a name', [{ ...fp32, name: 1 }]],
    ['text for data', [{ ...fp32, data: 'bytes' }]],
    ['a negative dimension', [{ ...fp32, shape: [-2, -3] }]],
    ['names that repeat', [fp32, fp32]],
    ['names out of order', [{ ...fp32, name: 'y' }, fp32]],
    [
      'names in UTF-16 order',
      [
        { ...fp32, name: '\u{1F600}' },
        { ...fp32, name: '\uFFFD' },
      ],
    ],
    ['data one byte short', [{ ...fp32, data: new Uint8Array(23) }]],
    ['data one element long', [{ ...fp32, data: new Uint8Array(28) }]],
    ['a shape that overflows', [{ ...fp32, shape: Array(16).fill(2 ** 40) }]],
    ['rank 17', [{ ...fp32, shape: [...Array(16).fill(1), 6] }]],
    ['65 tensors', Array.from({ length: 65 }, (_, i) => ({ ...fp32, name: String(i + 100) }))],
    [
      'a BYTES element cut in its length',
      [{ ...fp32, datatype: 'BYTES', shape: [1], data: new Uint8Array(3) }],
    ],
    [
      'a BYTES element cut in its bytes',
      [{ ...fp32, datatype: 'BYTES', shape: [1], data: new Uint8Array([2, 0, 0, 0, 1]) }],
    ],
    ['a BYTES element too many', [{ ...fp32, datatype: 'BYTES', shape: [1], data: new Uint8Array(8) }]],
  ])('refuses %s', (_what, value) => {
    expect(() => parseTensorBundle(encodeCbor(value))).toThrow(refused)
  })

  test('takes 64 tensors and rank 16', () => {
    const tensors = Array.from({ length: 64 }, (_, i) => ({
      ...fp32,
      name: String(i),
      shape: [...Array(15).fill(1), 6],
    }))
    expect(parseTensorBundle(encodeTensorBundle(tensors))).toHaveLength(64)
  })

  test('refuses what is no CBOR', () => {
    expect(() => parseTensorBundle(new Uint8Array([0xff]))).toThrow(refused)
    expect(() => parseTensorBundle(new Uint8Array(0))).toThrow(refused)
  })

  test('refuses every end that is cut off, and a byte more', () => {
    const bundle = encodeTensorBundle(vector.tensors)
    for (let end = 0; end < bundle.length; end++) {
      expect(() => parseTensorBundle(bundle.subarray(0, end)), String(end)).toThrow(refused)
    }
    expect(() => parseTensorBundle(Buffer.concat([bundle, Buffer.of(0)]))).toThrow(refused)
  })

  test('takes nothing but what strict CBOR reads alike, whichever byte is another', () => {
    const bundle = encodeTensorBundle(vector.tensors)
    const place = fc.nat({ max: bundle.length - 1 })
    fc.assert(
      fc.property(
        fc.array(fc.tuple(place, fc.nat({ max: 255 })), { minLength: 1, maxLength: 2 }),
        (changes) => {
          const changed = Uint8Array.from(bundle)
          for (const [at, byte] of changes) changed[at] = byte
          const taken = outcomeOf(() => parseTensorBundle(changed))
          if (taken === null) return
          // What is taken is canonical: strict CBOR reads the same and writes the same bytes again.
          expect(decodeCbor(changed, { maxBytes: 1_000 })).toEqual(taken)
          expect(toHex(encodeTensorBundle(taken))).toBe(toHex(changed))
        },
      ),
      { numRuns: 5_000 },
    )
  })

  test.each([
    ['a long form of a small count', '9801a46464617461406', ''],
    [
      'a long form of a length',
      '81a464646174615800646e616d6561616573686170658100686461746174797065654259544553',
      '',
    ],
    [
      'a long form of a dimension',
      '81a4646461746140646e616d656161657368617065811800686461746174797065644650333',
      '2',
    ],
    [
      'a name that is not UTF-8',
      '81a4646461746140646e616d6561ff6573686170658100686461746174797065644650333',
      '2',
    ],
    [
      'keys in another order',
      '81a4646e616d6561616464617461406573686170658100686461746174797065644650333',
      '2',
    ],
  ])('refuses %s', (_, hex, rest) => {
    expect(() => parseTensorBundle(Buffer.from(hex + rest, 'hex'))).toThrow(refused)
  })

  test('gives the data as a view, wherever the bundle lies', () => {
    const bundle = encodeTensorBundle(vector.tensors)
    const padded = Buffer.concat([Buffer.alloc(3), bundle, Buffer.alloc(3)]).subarray(3, -3)
    expect(parseTensorBundle(padded)).toEqual(parseTensorBundle(bundle))
  })

  test('refuses to encode what it would not parse', () => {
    expect(() => encodeTensorBundle([fp32, fp32])).toThrow(refused)
    expect(() => encodeTensorBundle([{ ...fp32, shape: [7] }])).toThrow(refused)
    const large = { ...fp32, datatype: 'UINT8' as const, shape: [1 << 26], data: new Uint8Array(1 << 26) }
    expect(() => encodeTensorBundle([large])).toThrow(refused)
    expect(() => parseTensorBundle(encodeCbor([large]))).toThrow(refused)
  })
})
