import type { Datatype } from '../work/tensor-bundle.ts'

/** TensorProto.DataType of onnx.proto for each Open Inference Protocol datatype. */
export const ONNX_TYPE = {
  FP32: 1,
  UINT8: 2,
  INT8: 3,
  UINT16: 4,
  INT16: 5,
  INT32: 6,
  INT64: 7,
  BYTES: 8,
  BOOL: 9,
  FP16: 10,
  FP64: 11,
  UINT32: 12,
  UINT64: 13,
} as const satisfies Record<Datatype, number>

const DATATYPES = new Map<number, Datatype>(
  Object.entries(ONNX_TYPE).map(([datatype, type]) => [type, datatype as Datatype]),
)

/** undefined for what a tensor bundle can't carry: complex numbers, bfloat16, 8-bit floats, 4-bit integers. */
export function datatypeOf(onnxType: number | undefined): Datatype | undefined {
  return onnxType === undefined ? undefined : DATATYPES.get(onnxType)
}
