import { describe, expect, test } from 'vitest'
import { graph, node, tensor, valueInfo } from '../../../compute/onnx/graph-builder.ts'
import { decodeModel, encodeModel, ModelError } from '../../../compute/onnx/model.ts'
import { mlp, unary } from './sample-models.ts'

const INT64_MAX = 2n ** 63n - 1n

describe('decodeModel', () => {
  test('gives back what encodeModel was given', () => {
    const bytes = encodeModel(mlp())
    expect(encodeModel(decodeModel(bytes))).toEqual(bytes)
    expect(decodeModel(bytes).graph?.node).toEqual(mlp().graph?.node)
  })

  test('keeps every kind of attribute, and integers that no double holds', () => {
    const inner = graph('inner', { input: [], output: [valueInfo('o', 'FP32', [])], node: [] })
    const attributes = {
      a_float: 0.5,
      an_int: INT64_MAX,
      ints: [-1n, INT64_MAX],
      a_tensor: { tensor: tensor('t', 'FP32', [1], Float32Array.of(1.5)) },
      a_graph: { graph: inner },
    }
    const bytes = encodeModel(unary([node('Custom', ['x'], ['y'], attributes)], 'FP32', ['N']))
    const decoded = decodeModel(bytes).graph?.node[0]?.attribute ?? []
    expect(decoded.map(({ name }) => name)).toEqual(Object.keys(attributes))
    expect(decoded[0]?.f).toBe(0.5)
    expect(decoded[1]?.i).toBe(INT64_MAX)
    expect(decoded[2]?.ints).toEqual([-1n, INT64_MAX])
    expect(decoded[3]?.t?.rawData).toEqual(Buffer.from(Float32Array.of(1.5).buffer))
    expect(decoded[4]?.g?.name).toBe('inner')
  })

  test.each([
    ['text', Buffer.from('not a model')],
    ['a cut model', encodeModel(mlp()).slice(0, -1)],
  ])('refuses %s', (_, bytes) => {
    expect(() => decodeModel(bytes)).toThrow(ModelError)
  })

  test('takes nested graphs, but not without end', () => {
    expect(decodeModel(nest(20)).graph?.node).toHaveLength(1)
    expect(() => decodeModel(nest(200))).toThrow(ModelError)
  })
})

/** GraphProto.node = 1, NodeProto.attribute = 5, AttributeProto.g = 6, each length-delimited. */
function nest(levels: number): Uint8Array {
  let bytes = Buffer.alloc(0)
  for (let level = 0; level < levels; level++) {
    for (const field of [6, 5, 1])
      bytes = Buffer.concat([Buffer.from([(field << 3) | 2]), varint(bytes.length), bytes])
  }
  return Buffer.concat([Buffer.from([(7 << 3) | 2]), varint(bytes.length), bytes])
}

function varint(value: number): Buffer {
  const bytes: number[] = []
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 0x80) return Buffer.from([...bytes, rest])
    bytes.push((rest & 0x7f) | 0x80)
  }
}
