import { isUtf8 } from 'node:buffer'
import { lengthPrefixed } from '../../compute/work/length-prefixed.ts'
import { type Datatype, elementBytes } from '../../compute/work/tensor-bundle.ts'
import { OipError } from './oip-error.ts'

/** Checks a tensor's data against its shape, and for values that ONNX Runtime would take for others. Throws OipError. */
export function checkData(
  name: string,
  datatype: Datatype,
  shape: readonly number[],
  data: Uint8Array,
): void {
  const expected = shape.reduce((product, size) => product * size, 1)
  const size = elementBytes(datatype)
  const held = size === null ? countStrings(name, data) : data.length / size
  if (held !== expected) {
    throw new OipError(
      'data_length_mismatch',
      `"${name}" holds ${held} elements in ${data.length} bytes, ${datatype} [${shape}] says ${expected}`,
    )
  }
  if (datatype === 'BOOL' && data.some((byte) => byte > 1)) {
    throw new OipError('value_invalid', `"${name}" holds a boolean that is neither 0 nor 1`)
  }
}

function countStrings(name: string, data: Uint8Array): number {
  let count = 0
  for (const element of lengthPrefixed(data)) {
    if (element === null) {
      throw new OipError('data_length_mismatch', `element ${count} of "${name}" is cut short`)
    }
    // onnxruntime-node cuts strings at NUL, and its strings are JavaScript's.
    if (element.includes(0) || !isUtf8(element)) {
      throw new OipError('value_invalid', `element ${count} of "${name}" is not UTF-8 without NUL`)
    }
    count++
  }
  return count
}
