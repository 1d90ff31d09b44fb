import { modelMessage } from './schema.ts'

// The messages of schema.ts as plain objects: repeated fields are always there, optional ones only when set,
// int64 is bigint (an attribute may hold INT64_MAX, as Slice does).

export interface ModelProto {
  irVersion?: bigint
  producerName?: string
  graph?: GraphProto
  opsetImport: OperatorSetIdProto[]
  functions: { name?: string }[]
}

export interface OperatorSetIdProto {
  domain?: string
  version?: bigint
}

export interface GraphProto {
  node: NodeProto[]
  name?: string
  initializer: TensorProto[]
  input: ValueInfoProto[]
  output: ValueInfoProto[]
  sparseInitializer: SparseTensorProto[]
}

export interface NodeProto {
  input: string[]
  output: string[]
  name?: string
  opType?: string
  attribute: AttributeProto[]
  domain?: string
}

export interface AttributeProto {
  name?: string
  f?: number
  i?: bigint
  s?: Uint8Array
  t?: TensorProto
  g?: GraphProto
  floats: number[]
  ints: bigint[]
  strings: Uint8Array[]
  tensors: TensorProto[]
  graphs: GraphProto[]
  type?: number
  sparseTensor?: SparseTensorProto
  sparseTensors: SparseTensorProto[]
}

export interface SparseTensorProto {
  values?: TensorProto
}

export interface TensorProto {
  dims: bigint[]
  dataType?: number
  floatData: number[]
  int32Data: number[]
  stringData: Uint8Array[]
  int64Data: bigint[]
  name?: string
  rawData?: Uint8Array
  doubleData: number[]
  uint64Data: bigint[]
  externalData: { key?: string; value?: string }[]
  dataLocation?: number
}

export interface ValueInfoProto {
  name?: string
  type?: { tensorType?: { elemType?: number; shape?: { dim: { dimValue?: bigint; dimParam?: string }[] } } }
}

/** The bytes are no ONNX model that this project can read. Codes: `model_malformed`. */
export class ModelError extends Error {
  override readonly name = 'ModelError'
  readonly code = 'model_malformed'
}

/** Throws ModelError. protobufjs bounds the nesting at 100 levels, as protoc does. */
export function decodeModel(bytes: Uint8Array): ModelProto {
  try {
    return modelMessage.toObject(modelMessage.decode(bytes), { longs: BigInt, arrays: true }) as ModelProto
  } catch (error) {
    throw new ModelError('the bytes are not an ONNX model', { cause: error })
  }
}

export function encodeModel(model: ModelProto): Uint8Array {
  return modelMessage.encode(modelMessage.fromObject(model)).finish()
}
