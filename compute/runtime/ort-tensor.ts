import assert from 'node:assert/strict'
import { lengthPrefixed, prefixLengths } from '../work/length-prefixed.ts'
import { type Datatype, ELEMENT_ARRAYS, type ElementArray, type Tensor } from '../work/tensor-bundle.ts'
import { Tensor as OrtTensor } from './onnxruntime.ts'
import { RunError } from './run-error.ts'

const ORT_TYPES = {
  BOOL: 'bool',
  UINT8: 'uint8',
  UINT16: 'uint16',
  UINT32: 'uint32',
  UINT64: 'uint64',
  INT8: 'int8',
  INT16: 'int16',
  INT32: 'int32',
  INT64: 'int64',
  FP16: 'float16',
  FP32: 'float32',
  FP64: 'float64',
  BYTES: 'string',
} as const satisfies Record<Datatype, OrtTensor.Type>

const DATATYPES = new Map<string, Datatype>(
  Object.entries(ORT_TYPES).map(([datatype, type]) => [type, datatype as Datatype]),
)

/** Throws RunError `inputs_invalid` for values that ONNX Runtime would take for others. */
export function toOrtTensor({ name, datatype, shape, data }: Tensor): OrtTensor {
  if (datatype === 'BYTES') return new OrtTensor('string', readStrings(name, data), shape)
  if (datatype === 'BOOL' && data.some((byte) => byte > 1)) {
    throw new RunError('inputs_invalid', `${name} holds a boolean that is neither 0 nor 1`)
  }
  // The bytes are copied: a typed array needs them aligned.
  return numericTensor(datatype, new ELEMENT_ARRAYS[datatype](Uint8Array.from(data).buffer), shape)
}

export function zeroTensor(datatype: Datatype, shape: readonly number[]): OrtTensor {
  const count = shape.reduce((product, size) => product * size, 1)
  if (datatype === 'BYTES') return new OrtTensor('string', new Array<string>(count).fill(''), shape)
  return numericTensor(datatype, new ELEMENT_ARRAYS[datatype](count), shape)
}

function numericTensor(
  datatype: keyof typeof ELEMENT_ARRAYS,
  elements: ElementArray,
  shape: readonly number[],
): OrtTensor {
  const tensor = new OrtTensor(ORT_TYPES[datatype], elements, shape)
  // Where JavaScript has Float16Array, onnxruntime-node 1.30 makes one of the bits and then can't read its own tensor.
  return datatype === 'FP16' ? Object.assign(tensor, { cpuData: elements }) : tensor
}

export function fromOrtTensor(name: string, { type, dims, data }: OrtTensor): Tensor {
  const datatype = DATATYPES.get(type)
  if (datatype === undefined) throw new RunError('model_refused', `output ${name} is of type ${type}`)
  const bytes = ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : prefixLengths(data.map((string) => Buffer.from(string, 'utf8')))
  return { name, datatype, shape: [...dims], data: bytes }
}

function readStrings(name: string, data: Uint8Array): string[] {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  return Array.from(lengthPrefixed(data), (bytes) => {
    assert(bytes !== null, 'a parsed bundle holds whole strings')
    // onnxruntime-node cuts strings at NUL.
    if (bytes.includes(0)) throw new RunError('inputs_invalid', `${name} holds a string with a NUL`)
    try {
      return decoder.decode(bytes)
    } catch (cause) {
      throw new RunError('inputs_invalid', `${name} holds a string that is not UTF-8`, { cause })
    }
  })
}
