import type { TensorSignature } from '../../compute/onnx/signature.ts'
import { elementBytes, MAX_BUNDLE_BYTES, type Tensor } from '../../compute/work/tensor-bundle.ts'
import { checkData } from './binary-data.ts'
import { dataFromJson } from './json-data.ts'
import { OipError } from './oip-error.ts'
import type { RequestInput } from './request-head.ts'

/** The model's inputs, whole and fitting, from JSON data and from `binary` in the order given. Throws OipError. */
export function readInputs(
  inputs: readonly RequestInput[],
  binary: Uint8Array,
  expected: readonly TensorSignature[],
): Tensor[] {
  const byName = new Map(expected.map((tensor) => [tensor.name, tensor]))
  const read = new Map<string, Tensor>()
  let at = 0
  for (const input of inputs) {
    const { name, shape } = input
    const signature = byName.get(name)
    if (signature === undefined) {
      throw new OipError('input_unknown', `"${name}" is no input of the model: ${list(byName.keys())}`)
    }
    if (read.has(name)) throw new OipError('input_repeated', `input "${name}" is given twice`)
    checkFits(input, signature)
    const { datatype } = signature
    const bytes = binarySize(input)
    if (bytes !== null && bytes > binary.length - at) {
      const left = `${binary.length - at} of binary data are left`
      throw new OipError('binary_length_mismatch', `input "${name}" has ${bytes} bytes, ${left}`)
    }
    const data =
      bytes === null ? dataFromJson(name, datatype, shape, input.data) : binary.subarray(at, at + bytes)
    checkData(name, datatype, shape, data)
    read.set(name, { name, datatype, shape, data })
    at += bytes ?? 0
  }
  const missing = expected.find(({ name }) => !read.has(name))
  if (missing !== undefined) throw new OipError('input_missing', `input "${missing.name}" is missing`)
  if (at !== binary.length) {
    throw new OipError('binary_length_mismatch', `${binary.length - at} bytes of binary data are no input's`)
  }
  return [...read.values()]
}

function checkFits(
  { name, datatype, shape }: RequestInput,
  { datatype: wanted, shape: sizes }: TensorSignature,
): void {
  if (datatype !== wanted) {
    throw new OipError('datatype_mismatch', `input "${name}" is ${datatype}, the model takes ${wanted}`)
  }
  const fits =
    shape.length === sizes.length && sizes.every((size, axis) => size === null || size === shape[axis])
  if (!fits) {
    const takes = `the model takes [${sizes.map((size) => size ?? -1)}]`
    throw new OipError('shape_mismatch', `input "${name}" has shape [${shape}], ${takes}`)
  }
  // Dimension by dimension too: beside a zero, a huge one would cost no bytes. Every element takes at least one.
  const elements = shape.reduce((product, size) => product * size, 1)
  if (Math.max(elements * (elementBytes(wanted) ?? 1), ...shape) > MAX_BUNDLE_BYTES) {
    throw new OipError('tensor_too_large', `input "${name}" [${shape}] is over ${MAX_BUNDLE_BYTES} bytes`)
  }
}

/** Bytes of an input in the binary part; null when its data is in the JSON. */
function binarySize({ name, data, parameters }: RequestInput): number | null {
  if (parameters?.shared_memory_region !== undefined) {
    throw new OipError('parameter_unsupported', `input "${name}": shared memory is not supported`)
  }
  const bytes = parameters?.binary_data_size ?? null
  if (bytes === null && data === undefined) {
    throw new OipError('data_missing', `input "${name}" has neither data nor binary_data_size`)
  }
  if (bytes !== null && data !== undefined) {
    throw new OipError('request_malformed', `input "${name}" has both data and binary_data_size`)
  }
  return bytes
}

function list(names: Iterable<string>): string {
  return [...names].join(', ')
}
