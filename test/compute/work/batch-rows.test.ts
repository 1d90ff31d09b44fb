import { expect, test } from 'vitest'
import { joinRows, rowsOf, splitRows } from '../../../compute/work/batch-rows.ts'
import { encodeTensorBundle, type Tensor } from '../../../compute/work/tensor-bundle.ts'

const bytes = (name: string, shape: number[], ...values: number[]): Tensor => ({
  name,
  datatype: 'UINT8',
  shape,
  data: Uint8Array.from(values),
})
const bundle = (...tensors: Tensor[]) => encodeTensorBundle(tensors)

const first = bundle(bytes('a', [1, 2], 1, 2), bytes('b', [1], 9))
const second = bundle(bytes('a', [2, 2], 3, 4, 5, 6), bytes('b', [2], 8, 7))
const joined = bundle(bytes('a', [3, 2], 1, 2, 3, 4, 5, 6), bytes('b', [3], 9, 8, 7))

test('inputs are joined row by row and outputs split again', () => {
  expect(joinRows([first, second])).toEqual(joined)
  expect(splitRows(joined, [first, second].map(rowsOf))).toEqual([first, second])
})

test('outputs of no elements a row are split, too', () => {
  const empty = (rows: number) => bundle(bytes('a', [rows, 0]))
  expect(splitRows(empty(3), [1, 2])).toEqual([empty(1), empty(2)])
})

test.each<[string, Uint8Array[]]>([
  ['nothing', []],
  ['rows of unlike shapes', [first, bundle(bytes('a', [1, 1], 1), bytes('b', [1], 9))]],
  ['unlike names', [first, bundle(bytes('a', [1, 2], 1, 2), bytes('c', [1], 9))]],
  ['fewer tensors', [first, bundle(bytes('a', [1, 2], 1, 2))]],
  ['more tensors', [bundle(bytes('a', [1, 2], 1, 2)), first]],
  ['scalars', [bundle(bytes('a', [], 1)), bundle(bytes('a', [], 2))]],
  ['texts', [0, 1].map(() => bundle({ name: 'a', datatype: 'BYTES', shape: [1], data: Buffer.alloc(4) }))],
])('%s can not be joined', (_, bundles) => {
  expect(joinRows(bundles)).toBeNull()
})

test('a bundle whose tensors differ in rows is joined with none: it would shift those behind it', () => {
  const uneven = bundle(bytes('a', [2, 1], 1, 2), bytes('b', [1], 9))
  const other = bundle(bytes('a', [1, 1], 1), bytes('b', [2], 8, 9))
  expect(joinRows([uneven, other])).toBeNull()
})

test.each<[string, Uint8Array]>([
  ['too few rows', bundle(bytes('a', [2, 1], 1, 2))],
  ['too many rows', bundle(bytes('a', [4, 1], 1, 2, 3, 4))],
  ['a scalar', bundle(bytes('a', [], 1))],
])('outputs of %s are no one in particular', (_, outputs) => {
  expect(splitRows(outputs, [1, 2])).toBeNull()
})
