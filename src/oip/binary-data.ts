import { isUtf8 } from 'node:buffer'
import type { Datatype } from '../../compute/work/tensor-bundle.ts'
import { lengthPrefixed } from './length-prefixed.ts'
import { NUMBER_CODECS } from './number-codec.ts'
import { OipError } from './oip-error.ts'

/** Bytes of one element; null where each carries its own length. */
export function elementBytes(datatype: Datatype): number | null {
  if (datatype === 'BYTES') return null
  if (datatype === 'BOOL') return 1
  return datatype === 'FP16' ? 2 : NUMBER_CODECS[datatype].bytes
}

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
