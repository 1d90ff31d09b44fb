import { describe, expect, test } from 'vitest'
import { node } from '../../../compute/onnx/graph-builder.ts'
import { encodeModel } from '../../../compute/onnx/model.ts'
import { InferenceSession } from '../../../compute/runtime/onnxruntime.ts'
import { fromOrtTensor, toOrtTensor, zeroTensor } from '../../../compute/runtime/ort-tensor.ts'
import type { Datatype, Tensor } from '../../../compute/work/tensor-bundle.ts'
import { unary } from '../onnx/sample-models.ts'

const WIDTHS: Record<Exclude<Datatype, 'BOOL' | 'BYTES'>, number> = {
  UINT8: 1,
  UINT16: 2,
  UINT32: 4,
  UINT64: 8,
  INT8: 1,
  INT16: 2,
  INT32: 4,
  INT64: 8,
  FP16: 2,
  FP32: 4,
  FP64: 8,
}

/** The bytes of the texts as a BYTES tensor. */
const texts = (...values: (string | Buffer)[]): Tensor => ({
  name: 'x',
  datatype: 'BYTES',
  shape: [values.length],
  data: Buffer.concat(
    values.flatMap((value) => [Buffer.of(Buffer.from(value).length, 0, 0, 0), Buffer.from(value)]),
  ),
})

const samples: Tensor[] = [
  { name: 'x', datatype: 'BOOL', shape: [3], data: Uint8Array.of(1, 0, 1) },
  texts('', 'ab', 'žluť 🙂'),
  ...Object.entries(WIDTHS).map(([datatype, width]) => ({
    name: 'x',
    datatype: datatype as Datatype,
    shape: [3],
    // An offset that no typed array of more than one byte could stand at.
    data: new Uint8Array(3 * width + 1).map((_, index) => (index * 37 + 1) % 0x70).subarray(1),
  })),
]

describe('tensors go through ONNX Runtime bit by bit', () => {
  test.each(samples.map((tensor) => [tensor.datatype, tensor] as const))('%s', async (datatype, tensor) => {
    const identity = unary([node('Identity', ['x'], ['y'])], datatype, ['N'])
    const session = await InferenceSession.create(encodeModel(identity))
    const { y } = await session.run({ x: toOrtTensor(tensor) })
    if (y === undefined) throw new Error('the model has an output y')
    const { data, ...rest } = fromOrtTensor('x', y)
    expect(rest).toEqual({ name: 'x', datatype, shape: [3] })
    expect(Buffer.from(data).toString('hex')).toBe(Buffer.from(tensor.data).toString('hex'))
    const zeros = await session.run({ x: zeroTensor(datatype, [2]) })
    expect(zeros.y?.dims).toEqual([2])
  })
})

describe('refuses what ONNX Runtime would read as something else', () => {
  test.each<[string, Tensor]>([
    ['a boolean of 2', { name: 'x', datatype: 'BOOL', shape: [1], data: Uint8Array.of(2) }],
    ['a text with a NUL', texts('a\u0000b')],
    ['a text that is not UTF-8', texts(Buffer.from([0xff]))],
  ])('%s', (_, tensor) => {
    expect(() => toOrtTensor(tensor)).toThrow(expect.objectContaining({ code: 'inputs_invalid' }))
  })
})
