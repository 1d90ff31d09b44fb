import { describe, expect, test } from 'vitest'
import { node } from '../../../compute/onnx/graph-builder.ts'
import { countMacs, operandNames } from '../../../compute/onnx/macs.ts'
import type { NodeProto } from '../../../compute/onnx/model.ts'
import { mlp, unary } from './sample-models.ts'

const count = (one: NodeProto, shapes: Record<string, number[]>): bigint => {
  const asked = operandNames(unary([one], 'FP32', ['N']))
  return countMacs(unary([one], 'FP32', ['N']), (name) => {
    expect(asked).toContain(name)
    return shapes[name] ?? []
  })
}

describe('countMacs', () => {
  const conv = { y: [1, 16, 6, 6], w: [16, 3, 3, 3] }
  test.each<[string, bigint, NodeProto, Record<string, number[]>]>([
    ['Conv', 16n * 36n * 27n, node('Conv', ['x', 'w', 'b'], ['y']), conv],
    [
      'grouped Conv, by its weight',
      8n * 36n * 9n,
      node('Conv', ['x', 'w'], ['y']),
      { y: [1, 8, 6, 6], w: [8, 1, 3, 3] },
    ],
    ['QLinearConv', 16n * 36n * 27n, node('QLinearConv', ['x', 's', 'z', 'w'], ['y']), conv],
    [
      'ConvTranspose',
      3n * 4n * 18n,
      node('ConvTranspose', ['x', 'w'], ['y']),
      { x: [1, 3, 2, 2], w: [3, 2, 3, 3] },
    ],
    [
      'batched MatMul',
      2n * 5n * 7n * 11n,
      node('MatMul', ['a', 'b'], ['y']),
      { y: [2, 5, 7], a: [2, 5, 11] },
    ],
    ['MatMul of a vector', 7n * 11n, node('MatMul', ['a', 'b'], ['y']), { y: [7], a: [11] }],
    ['Gemm', 5n * 7n * 11n, node('Gemm', ['a', 'b'], ['y']), { y: [5, 7], a: [5, 11] }],
    [
      'transposed Gemm',
      5n * 7n * 11n,
      node('Gemm', ['a', 'b'], ['y'], { transA: 1n }),
      { y: [5, 7], a: [11, 5] },
    ],
  ])('%s', (_, macs, one, shapes) => {
    expect(count(one, shapes)).toBe(macs)
  })

  test('adds up over the graph', () => {
    const shapes: Record<string, number[]> = {
      x: [1, 64],
      preactivation: [1, 128],
      hidden: [1, 128],
      y: [1, 10],
    }
    expect(countMacs(mlp(), (name) => shapes[name] ?? [])).toBe(64n * 128n + 128n * 10n)
  })

  test('counts the elements of the outputs where nothing is multiplied', () => {
    expect(countMacs(unary([node('Relu', ['x'], ['y'])], 'FP32', ['N', 5]), () => [1, 5])).toBe(5n)
  })
})
