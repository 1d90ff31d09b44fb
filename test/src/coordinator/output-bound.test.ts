import { expect, test } from 'vitest'
import { graph, model, node, valueInfo } from '../../../compute/onnx/graph-builder.ts'
import { type Datatype, encodeTensorBundle, MAX_BUNDLE_BYTES } from '../../../compute/work/tensor-bundle.ts'
import { outputBound } from '../../../src/coordinator/output-bound.ts'

type Shape = (number | string)[]

function boundOf(input: Shape, ...outputs: [datatype: Datatype, shape: Shape][]) {
  return outputBound(
    model(
      graph('g', {
        input: [valueInfo('x', 'FP32', input)],
        output: outputs.map(([datatype, shape], i) => valueInfo(`y${i}`, datatype, shape)),
        node: [node('Identity', ['x'], ['y0'])],
      }),
    ),
  )
}

function bundleBytes(...shapes: number[][]): number {
  const tensors = shapes.map((shape, i) => {
    const data = new Uint8Array(
      shape.reduce((product, size) => 4 * product * size, 1) / 4 ** (shape.length - 1),
    )
    return { name: `y${i}`, datatype: 'FP32' as const, shape, data }
  })
  return encodeTensorBundle(tensors).length
}

test.each<[string, number, number, number]>([
  ['fixed shapes', boundOf([1, 3], ['FP32', [5, 7]], ['FP32', [11]])(1), bundleBytes([5, 7], [11]), 2],
  ['rows', boundOf(['N', 3], ['FP32', ['N', 7]])(1_000), bundleBytes([1_000, 7]), 1],
  ['no rows yet', boundOf(['N', 3], ['FP32', ['N', 0]])(3), bundleBytes([3, 0]), 1],
])('the bound of %s is the bundle and at most 600 bytes for each tensor', (_, bound, bytes, tensors) => {
  expect(bytes).toBeLessThanOrEqual(bound)
  expect(bound - bytes).toBeLessThan(600 * tensors)
})

test.each<[string, ReturnType<typeof boundOf>]>([
  ['a dimension that follows from data', boundOf(['N', 3], ['FP32', ['M', 7]])],
  ['a second free dimension', boundOf(['N', 3], ['FP32', ['N', 'length']])],
  ['a free dimension where none goes in', boundOf([1, 3], ['FP32', ['N', 7]])],
  ['rows that are declared for a fixed number', boundOf(['N', 3], ['FP32', [1, 7]])],
  ['rows without a name', boundOf(['', 3], ['FP32', ['', 7]])],
  ['rows written as -1', boundOf([-1, 3], ['FP32', [-1, 7]])],
  ['text', boundOf([1, 3], ['BYTES', [1]])],
  ['more rows than fit', (items) => boundOf(['N', 3], ['FP32', ['N', 1_000]])(items * 1_000_000)],
])('%s may be as large as any bundle', (_, bound) => {
  expect(bound(1)).toBe(MAX_BUNDLE_BYTES)
})
