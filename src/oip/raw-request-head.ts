import type { TensorSignature } from '../../compute/onnx/signature.ts'
import { elementBytes } from '../../compute/work/tensor-bundle.ts'
import { OipError } from './oip-error.ts'
import type { RequestHead } from './request-head.ts'

/**
 * What a raw binary request leaves out (Triton's binary tensor data extension): its body is the model's one input, whose
 * one free dimension follows from the length, and its outputs are binary. Throws OipError.
 */
export function rawRequestHead(binary: Uint8Array, inputs: readonly TensorSignature[]): RequestHead {
  const [input] = inputs
  const size = input === undefined ? null : elementBytes(input.datatype)
  const free = input?.shape.filter((dimension) => dimension === null).length
  if (input === undefined || inputs.length > 1 || size === null || free === undefined || free > 1) {
    throw new OipError(
      'request_malformed',
      'a request without JSON needs a model with one input, not of BYTES, and at most one free dimension',
    )
  }
  const rowBytes = input.shape.reduce<number>((product, dimension) => product * (dimension ?? 1), size)
  const rest = Math.floor(binary.length / Math.max(1, rowBytes))
  return {
    inputs: [
      {
        name: input.name,
        datatype: input.datatype,
        shape: input.shape.map((dimension) => dimension ?? rest),
        parameters: { binary_data_size: binary.length },
      },
    ],
    parameters: { binary_data_output: true },
  }
}
