import { describe, expect, test } from 'vitest'
import { compareExact } from '../../../compute/compare/exact.ts'
import { encodeCbor } from '../../../compute/work/canonical-cbor.ts'
import { type Datatype, encodeTensorBundle, type Tensor } from '../../../compute/work/tensor-bundle.ts'

const floats = (name: string, ...values: number[]): Tensor => ({
  name,
  datatype: 'FP32',
  shape: [values.length],
  data: new Uint8Array(Float32Array.from(values).buffer),
})

const bundle = (...tensors: Tensor[]): Uint8Array => encodeTensorBundle(tensors)

const texts = (...values: string[]): Tensor => ({
  name: 's',
  datatype: 'BYTES',
  shape: [values.length],
  data: Buffer.concat(values.flatMap((value) => [Buffer.of(value.length, 0, 0, 0), Buffer.from(value)])),
})

describe('compareExact', () => {
  test('passes equal outputs, a NaN equal to itself among them', () => {
    const outputs = bundle(floats('a', 1.5, Number.NaN), texts('yes', ''))
    expect(compareExact(outputs, Uint8Array.from(outputs))).toEqual({
      verdict: 'pass',
      reason: 'equal outputs',
    })
  })

  test.each<[string, Uint8Array, Uint8Array, string]>([
    [
      'a value, naming the first that differs',
      bundle(floats('a', 1, 2, 3.5), floats('b', 0)),
      bundle(floats('a', 1, 2, 3.25), floats('b', 9)),
      '"a": element 2 is 3.5 (0x40600000), expected 3.25 (0x40500000)',
    ],
    [
      'the last bit',
      bundle(floats('a', 1)),
      bundle(floats('a', 1 + 2 ** -23)),
      '"a": element 0 is 1 (0x3f800000), expected 1.0000001192092896 (0x3f800001)',
    ],
    [
      'the sign of zero',
      bundle(floats('a', 0)),
      bundle(floats('a', -0)),
      '"a": element 0 is 0 (0x00000000), expected 0 (0x80000000)',
    ],
    [
      'a text',
      bundle(texts('ab', 'cd')),
      bundle(texts('ab', 'ce')),
      '"s": element 1 is 0x6364, expected 0x6365',
    ],
    [
      'the length of a text',
      bundle(texts('', 'abc')),
      bundle(texts('abc', '')),
      '"s": element 0 is 0x, expected 0x616263',
    ],
    ['the shape', bundle(floats('a', 1, 2)), bundle(floats('a', 1, 2, 3)), '"a": shape [2], expected [3]'],
    [
      'the datatype',
      bundle({ ...floats('a', 1), datatype: 'INT32' }),
      bundle(floats('a', 1)),
      '"a": datatype INT32, expected FP32',
    ],
    ['a missing output', bundle(floats('a', 1)), bundle(floats('a', 1), floats('b', 1)), '"b" is missing'],
    [
      'an extra output',
      bundle(floats('a', 1), floats('b', 1)),
      bundle(floats('a', 1)),
      '"b" is not expected',
    ],
    ['no outputs', bundle(), bundle(floats('a', 1)), '"a" is missing'],
  ])('fails on %s', (_, claimed, expected, reason) => {
    expect(compareExact(claimed, expected)).toEqual({ verdict: 'fail', reason })
  })

  test.each<[Datatype, number[], string]>([
    ['BOOL', [1], '1 (0x01)'],
    ['INT8', [0xff], '-1 (0xff)'],
    ['UINT8', [0xff], '255 (0xff)'],
    ['INT16', [0xfe, 0xff], '-2 (0xfffe)'],
    ['UINT16', [0xfe, 0xff], '65534 (0xfffe)'],
    ['INT32', [1, 0, 0, 0x80], '-2147483647 (0x80000001)'],
    ['UINT32', [1, 0, 0, 0x80], '2147483649 (0x80000001)'],
    ['INT64', [1, 0, 0, 0, 0, 0, 0, 0x80], '-9223372036854775807 (0x8000000000000001)'],
    ['UINT64', [1, 0, 0, 0, 0, 0, 0, 0x80], '9223372036854775809 (0x8000000000000001)'],
    ['FP16', [0, 0x3c], 'binary16 (0x3c00)'],
    ['FP64', [0, 0, 0, 0, 0, 0, 0xf0, 0x3f], '1 (0x3ff0000000000000)'],
  ])('shows %s elements', (datatype, element, text) => {
    const one = (data: number[]): Uint8Array =>
      bundle({ name: 'a', datatype, shape: [2], data: Uint8Array.from(data) })
    const zeros = element.map(() => 0)
    const { reason } = compareExact(one([...zeros, ...element]), one([...zeros, ...zeros]))
    expect(reason).toContain(`element 1 is ${text}, expected `)
  })

  test.each<[string, Uint8Array, Uint8Array, RegExp]>([
    ['claimed', Buffer.from('junk'), bundle(floats('a', 1)), /^claimed outputs: tensor bundle/],
    ['expected', bundle(floats('a', 1)), Buffer.from('junk'), /^expected outputs: tensor bundle/],
  ])('fails, and does not throw, when the %s outputs are no bundle', (_, claimed, expected, reason) => {
    expect(compareExact(claimed, expected)).toEqual({
      verdict: 'fail',
      reason: expect.stringMatching(reason),
    })
  })

  test.each([
    ['text of no datatype', { name: 'n', datatype: 'é\u001b[2J\u009b\n'.repeat(10_000) }],
    ['a name', { name: '\u001b[2J\n'.repeat(10_000), datatype: 'FP32' }],
  ])('stays one short line where a bundle is refused for %s', (_, spoiled) => {
    const junk = encodeCbor([{ ...spoiled, shape: [2], data: new Uint8Array(4) }])
    const { reason } = compareExact(junk, bundle())
    expect(reason).toMatch(/^claimed outputs: tensor bundle: [^\p{Control}]{1,300}$/u)
  })

  test('cuts endless names', () => {
    const { reason } = compareExact(bundle(), bundle(floats('n'.repeat(10_000), 1)))
    expect(reason.length).toBeLessThan(200)
  })
})
