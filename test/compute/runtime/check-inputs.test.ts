import { describe, expect, test } from 'vitest'
import type { TensorSignature } from '../../../compute/onnx/signature.ts'
import { checkInputs } from '../../../compute/runtime/check-inputs.ts'
import type { Tensor } from '../../../compute/work/tensor-bundle.ts'

const expected: TensorSignature[] = [
  { name: 'x', datatype: 'FP32', shape: [null, 3] },
  { name: 'n', datatype: 'INT64', shape: [] },
]
const x = (shape: number[]): Tensor => ({ name: 'x', datatype: 'FP32', shape, data: new Uint8Array(0) })
const n: Tensor = { name: 'n', datatype: 'INT64', shape: [], data: new Uint8Array(8) }

describe('checkInputs', () => {
  test.each([0, 1, 5])('takes %i in a free dimension, in any order of inputs', (rows) => {
    expect(() => checkInputs([n, x([rows, 3])], expected)).not.toThrow()
  })

  test.each<[string, Tensor[]]>([
    ['input n is missing', [x([1, 3])]],
    ['input x is FP64, expected FP32', [{ ...x([1, 3]), datatype: 'FP64' }, n]],
    ['input x has shape [1,4], expected [?,3]', [x([1, 4]), n]],
    ['input x has shape [3], expected [?,3]', [x([3]), n]],
    ['input x has shape [1,3,1], expected [?,3]', [x([1, 3, 1]), n]],
    ['y is no input of the model', [x([1, 3]), n, { ...n, name: 'y' }]],
  ])('refuses: %s', (message, inputs) => {
    expect(() => checkInputs(inputs, expected)).toThrow(
      expect.objectContaining({ code: 'inputs_invalid', message }),
    )
  })
})
