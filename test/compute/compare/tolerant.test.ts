import { describe, expect, test } from 'vitest'
import { compareTolerant, type TolerantBounds } from '../../../compute/compare/tolerant.ts'
import { type Datatype, encodeTensorBundle, type Tensor } from '../../../compute/work/tensor-bundle.ts'

const tensor = (name: string, datatype: Datatype, shape: number[], elements: ArrayBufferView): Tensor => ({
  name,
  datatype,
  shape,
  data: new Uint8Array(elements.buffer, elements.byteOffset, elements.byteLength),
})
const floats = (name: string, ...values: number[]): Tensor =>
  tensor(name, 'FP32', [values.length], Float32Array.from(values))
const halves = (...bits: number[]): Tensor => tensor('a', 'FP16', [bits.length], Uint16Array.from(bits))
const doubles = (...values: number[]): Tensor =>
  tensor('a', 'FP64', [values.length], Float64Array.from(values))
const texts = (...values: string[]): Tensor =>
  tensor(
    'a',
    'BYTES',
    [values.length],
    Buffer.concat(values.flatMap((value) => [Buffer.of(value.length, 0, 0, 0), Buffer.from(value)])),
  )
const bundle = (...tensors: Tensor[]): Uint8Array => encodeTensorBundle(tensors)

const near = { atol: 0, rtol: 1 / 128, top: null }
const bounds: TolerantBounds = { a: near, b: near }
const ONES = Array.from({ length: 98 }, () => 1)

describe('within bounds', () => {
  test('equal outputs pass, whatever they hold', () => {
    const outputs = bundle(floats('a', Number.NaN, Number.POSITIVE_INFINITY), floats('z', 1))
    expect(compareTolerant(outputs, Uint8Array.from(outputs), bounds)).toEqual({
      verdict: 'pass',
      reason: 'equal outputs',
    })
  })

  test('on the bound itself is still a pass', () => {
    const own = bundle(floats('a', 1, -1), floats('b', 64, 64))
    const claimed = bundle(floats('a', 1, -1 - 1 / 256), floats('b', 64.5, 64))
    expect(compareTolerant(claimed, own, bounds)).toEqual({ verdict: 'pass', reason: 'within bounds' })
  })

  test('a large number may differ by more than the mean allows', () => {
    const small = Array.from({ length: 99 }, () => 1)
    const own = bundle(floats('a', 1000, ...small))
    expect(compareTolerant(bundle(floats('a', 1007, ...small)), own, bounds).verdict).toBe('pass')
    expect(compareTolerant(bundle(floats('a', 1000, 8, ...small.slice(1))), own, bounds)).toEqual({
      verdict: 'fail',
      reason: expect.stringMatching(/^"a": element 1 is 8 .*, expected 1 .*: 8.96 times the bound$/),
    })
  })

  test.each([
    ['binary16', halves(0x3c00, 0x3c00), halves(0x3c01, 0x3c00)],
    ['binary64', doubles(1, 1), doubles(1, 1 + 2 ** -40)],
    ['zeros of either sign', floats('a', 0, 1), floats('a', -0, 1)],
    ['a NaN with other bits', halves(0x7c01, 0x3c00), halves(0x7e00, 0x3c01)],
    [
      'equal infinities',
      floats('a', Number.NEGATIVE_INFINITY, 1),
      floats('a', Number.NEGATIVE_INFINITY, 1.001),
    ],
    ['an empty tensor', floats('a'), floats('a')],
    [
      'a scalar',
      tensor('a', 'FP32', [], Float32Array.of(1)),
      tensor('a', 'FP32', [], Float32Array.of(1.001)),
    ],
  ])('%s', (_, claimed, own) => {
    const differing = floats('b', 1)
    const result = compareTolerant(bundle(claimed, floats('b', 1.001)), bundle(own, differing), bounds)
    expect(result.verdict).toBe('pass')
  })

  test('the absolute part allows what zeros would not', () => {
    const own = bundle(floats('a', 0, 0))
    const claimed = bundle(floats('a', 0.5, 0))
    expect(compareTolerant(claimed, own, { a: { ...near, atol: 0.5 } }).verdict).toBe('pass')
    expect(compareTolerant(claimed, own, { a: { ...near, atol: 0.49 } }).verdict).toBe('fail')
  })
})

describe('fails on', () => {
  test.each<[string, Tensor[], Tensor[], string]>([
    [
      'a number out of bounds, naming the worst',
      [floats('a', 1, 1.015625, 1.03125)],
      [floats('a', 1, 1, 1)],
      '"a": element 2 is 1.03125 (0x3f840000), expected 1 (0x3f800000): 4.00 times the bound',
    ],
    [
      'an output behind one that is near',
      [floats('a', 1.001), floats('b', 3)],
      [floats('a', 1), floats('b', 1)],
      '"b": element 0 is 3 (0x40400000), expected 1 (0x3f800000): 256 times the bound',
    ],
    [
      'a small number that differs by as much as a large one before it may',
      [floats('a', 1007, 8, ...ONES)],
      [floats('a', 1000, 1, ...ONES)],
      '"a": element 1 is 8 (0x41000000), expected 1 (0x3f800000): 8.96 times the bound',
    ],
    [
      'a half out of bounds',
      [halves(0x3c00, 0x4000)],
      [halves(0x3c00, 0x3c00)],
      '"a": element 1 is binary16 (0x4000), expected binary16 (0x3c00): 128 times the bound',
    ],
    [
      'a NaN in the place of a number',
      [floats('a', 1, Number.NaN)],
      [floats('a', 1, 1)],
      '"a": element 1 is NaN (0x7fc00000), expected 1 (0x3f800000)',
    ],
    [
      'a number in the place of an infinity',
      [floats('a', 3e38)],
      [floats('a', Number.POSITIVE_INFINITY)],
      '"a": element 0 is 3.0000000054977558e+38 (0x7f61b1e6), expected Infinity (0x7f800000)',
    ],
    [
      'an integer that differs at all',
      [tensor('a', 'INT32', [1], Int32Array.of(1_000_001))],
      [tensor('a', 'INT32', [1], Int32Array.of(1_000_000))],
      '"a": element 0 is 1000001 (0x000f4241), expected 1000000 (0x000f4240)',
    ],
    [
      'a boolean',
      [tensor('a', 'BOOL', [2], Uint8Array.of(1, 1))],
      [tensor('a', 'BOOL', [2], Uint8Array.of(1, 0))],
      '"a": element 1 is 1 (0x01), expected 0 (0x00)',
    ],
    ['a text', [texts('yes', 'no')], [texts('yes', 'on')], '"a": element 1 is 0x6e6f, expected 0x6f6e'],
    [
      'an output without bounds that is only near',
      [floats('z', 1)],
      [floats('z', 1.001)],
      '"z": element 0 is 1 (0x3f800000), expected 1.0010000467300415 (0x3f8020c5)',
    ],
    [
      'an output that is called like a property of every object',
      [floats('constructor', 1)],
      [floats('constructor', 1.001)],
      '"constructor": element 0 is 1 (0x3f800000), expected 1.0010000467300415 (0x3f8020c5)',
    ],
    ['another shape', [floats('a', 1, 2)], [floats('a', 1)], 'outputs "a" FP32 [2], expected "a" FP32 [1]'],
    [
      'equally many elements in another shape',
      [tensor('a', 'FP32', [1, 2], Float32Array.of(1, 2))],
      [floats('a', 1, 2)],
      'outputs "a" FP32 [1,2], expected "a" FP32 [2]',
    ],
    ['another datatype', [doubles(1)], [floats('a', 1)], 'outputs "a" FP64 [1], expected "a" FP32 [1]'],
    [
      'a missing output',
      [floats('a', 1)],
      [floats('a', 1), floats('b')],
      'outputs "a" FP32 [1], expected "a" FP32 [1], "b" FP32 [0]',
    ],
    [
      'an extra output',
      [floats('a', 1), floats('b')],
      [floats('a', 1)],
      'outputs "a" FP32 [1], "b" FP32 [0], expected "a" FP32 [1]',
    ],
    [
      'an output under another name',
      [floats('b', 1)],
      [floats('a', 1)],
      'outputs "b" FP32 [1], expected "a" FP32 [1]',
    ],
  ])('%s', (_, claimed, own, reason) => {
    const result = compareTolerant(bundle(...claimed), bundle(...own), bounds)
    expect(result).toMatchObject({ verdict: 'fail', reason })
  })

  test('another decision, though every number is near', () => {
    const decides = { a: { atol: 0, rtol: 0.5, top: { count: 1, tie: 0.01 } } }
    const own = bundle(tensor('a', 'FP32', [2, 2], Float32Array.of(1, 2, 4, 3)))
    const claimed = bundle(tensor('a', 'FP32', [2, 2], Float32Array.of(1, 2, 3, 4)))
    expect(compareTolerant(claimed, own, decides)).toMatchObject({
      verdict: 'fail',
      reason: '"a": row 1 decides differently',
    })
    expect(compareTolerant(claimed, own, { a: { ...decides.a, top: null } }).verdict).toBe('pass')
  })

  test('the first failing output', () => {
    const own = bundle(floats('a', 1), floats('b', 1))
    const claimed = bundle(floats('a', 2), floats('b', 3))
    expect(compareTolerant(claimed, own, bounds).reason).toMatch(/^"a": element 0 .*: 128 times the bound$/)
  })

  test.each<[string, Uint8Array, Uint8Array, RegExp]>([
    ['claimed', Buffer.from('junk'), bundle(floats('a', 1)), /^claimed outputs: tensor bundle/],
    ['own', bundle(floats('a', 1)), Buffer.from('junk'), /^expected outputs: tensor bundle/],
  ])('%s outputs that are no bundle, and does not throw', (_, claimed, own, reason) => {
    const result = compareTolerant(claimed, own, bounds)
    expect(result).toEqual({ verdict: 'fail', reason: expect.stringMatching(reason) })
  })

  test('endless names, in one line', () => {
    const { reason } = compareTolerant(bundle(), bundle(floats('n'.repeat(10_000), 1)), bounds)
    expect(reason.length).toBeLessThan(500)
  })
})
