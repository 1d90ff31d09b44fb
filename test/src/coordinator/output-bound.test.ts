import { expect, test } from 'vitest'
import { graph, model, node, valueInfo } from '../../../compute/onnx/graph-builder.ts'
import { type Datatype, encodeTensorBundle, MAX_BUNDLE_BYTES } from '../../../compute/work/tensor-bundle.ts'
import { outputBound } from '../../../src/coordinator/output-bound.ts'

type Shape = (number | string)[]

function boundOf(input: Shape, ...outputs: [datatype: Datatype, shape: Shape][]) {
  return outputBound(
    model(
      graph('g', {
        input: [valueInfo('x0', 'FP32', input)],
        output: outputs.map(([datatype, shape], i) => valueInfo(`y${i}`, datatype, shape)),
        node: [node('Identity', ['x0'], ['y0'])],
      }),
    ),
  )
}

function bundle(name: string, ...shapes: number[][]): Uint8Array {
  const sizeOf = (shape: number[]) => shape.reduce((product, size) => product * size, 4)
  return encodeTensorBundle(
    shapes.map((shape, i) => ({
      name: `${name}${i}`,
      datatype: 'FP32',
      shape,
      data: new Uint8Array(sizeOf(shape)),
    })),
  )
}

/** Inputs of so many rows. */
const rows = (count: number) => bundle('x', [count, 3])

test.each<[string, number, Uint8Array, number]>([
  ['fixed shapes', boundOf([1, 3], ['FP32', [5, 7]], ['FP32', [11]])(rows(1)), bundle('y', [5, 7], [11]), 2],
  ['rows', boundOf(['N', 3], ['FP32', ['N', 7]])(rows(1_000)), bundle('y', [1_000, 7]), 1],
  ['no rows yet', boundOf(['N', 3], ['FP32', ['N', 0]])(rows(3)), bundle('y', [3, 0]), 1],
])('the bound of %s is the bundle and at most 600 bytes for each tensor', (_, bound, { length }, tensors) => {
  expect(length).toBeLessThanOrEqual(bound)
  expect(bound - length).toBeLessThan(600 * tensors)
})

test.each<[string, ReturnType<typeof boundOf>]>([
  ['a dimension that follows from data', boundOf(['N', 3], ['FP32', ['M', 7]])],
  ['a second free dimension', boundOf(['N', 3], ['FP32', ['N', 'length']])],
  ['a free dimension where none goes in', boundOf([1, 3], ['FP32', ['N', 7]])],
  ['rows that are declared for a fixed number', boundOf(['N', 3], ['FP32', [1, 7]])],
  ['rows without a name', boundOf(['', 3], ['FP32', ['', 7]])],
  ['rows written as -1', boundOf([-1, 3], ['FP32', [-1, 7]])],
  ['text', boundOf([1, 3], ['BYTES', [1]])],
  ['more rows than fit', () => boundOf(['N', 3], ['FP32', ['N', 1_000]])(rows(100_000))],
  ['the answer to what is no bundle', () => boundOf(['N', 3], ['FP32', ['N', 7]])(new Uint8Array(1))],
])('%s may be as large as any bundle', (_, bound) => {
  expect(bound(rows(1))).toBe(MAX_BUNDLE_BYTES)
})
