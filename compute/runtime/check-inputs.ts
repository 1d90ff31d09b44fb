import type { TensorSignature } from '../onnx/signature.ts'
import type { Tensor } from '../work/tensor-bundle.ts'
import { RunError } from './run-error.ts'

/** ONNX Runtime ignores feeds that it does not know and throws plain errors for the rest. Throws RunError `inputs_invalid`. */
export function checkInputs(tensors: readonly Tensor[], expected: readonly TensorSignature[]): void {
  const byName = new Map(tensors.map((tensor) => [tensor.name, tensor]))
  for (const { name, datatype, shape } of expected) {
    const tensor = byName.get(name)
    if (tensor === undefined) throw new RunError('inputs_invalid', `input ${name} is missing`)
    if (tensor.datatype !== datatype) {
      throw new RunError('inputs_invalid', `input ${name} is ${tensor.datatype}, expected ${datatype}`)
    }
    const fits =
      tensor.shape.length === shape.length &&
      shape.every((size, axis) => size === null || size === tensor.shape[axis])
    if (!fits) {
      const wanted = shape.map((size) => size ?? '?')
      throw new RunError('inputs_invalid', `input ${name} has shape [${tensor.shape}], expected [${wanted}]`)
    }
    byName.delete(name)
  }
  const [extra] = byName.keys()
  if (extra !== undefined) throw new RunError('inputs_invalid', `${extra} is no input of the model`)
}
