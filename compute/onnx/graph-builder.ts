import type { Datatype } from '../work/tensor-bundle.ts'
import { ONNX_TYPE } from './datatype.ts'
import type {
  AttributeProto,
  GraphProto,
  ModelProto,
  NodeProto,
  TensorProto,
  ValueInfoProto,
} from './model.ts'

/** Opset and IR version of the graphs that are built here: both known to every ONNX Runtime since 1.7. */
const OPSET = 13n
const IR_VERSION = 7n

// AttributeProto.AttributeType of onnx.proto.
const ATTRIBUTE_FLOAT = 1
const ATTRIBUTE_INT = 2
const ATTRIBUTE_TENSOR = 4
const ATTRIBUTE_GRAPH = 5
const ATTRIBUTE_INTS = 7

/** A number is an attribute of type FLOAT, a bigint INT, bigints INTS. */
export type AttributeValue =
  | number
  | bigint
  | readonly bigint[]
  | { tensor: TensorProto }
  | { graph: GraphProto }

export function node(
  opType: string,
  input: readonly string[],
  output: readonly string[],
  attributes: Readonly<Record<string, AttributeValue>> = {},
): NodeProto {
  const attribute = Object.entries(attributes).map(([name, value]) => attributeProto(name, value))
  return { opType, input: [...input], output: [...output], attribute }
}

function attributeProto(name: string, value: AttributeValue): AttributeProto {
  const empty = { name, floats: [], ints: [], strings: [], tensors: [], graphs: [], sparseTensors: [] }
  if (typeof value === 'number') return { ...empty, type: ATTRIBUTE_FLOAT, f: value }
  if (typeof value === 'bigint') return { ...empty, type: ATTRIBUTE_INT, i: value }
  if ('tensor' in value) return { ...empty, type: ATTRIBUTE_TENSOR, t: value.tensor }
  if ('graph' in value) return { ...empty, type: ATTRIBUTE_GRAPH, g: value.graph }
  return { ...empty, type: ATTRIBUTE_INTS, ints: [...value] }
}

/** `data` holds the elements, row-major, in little-endian memory (every platform that ONNX Runtime has binaries for). */
export function tensor(
  name: string,
  datatype: Exclude<Datatype, 'BYTES'>,
  shape: readonly number[],
  data: ArrayBufferView,
): TensorProto {
  return {
    name,
    dataType: ONNX_TYPE[datatype],
    dims: shape.map(BigInt),
    rawData: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
    floatData: [],
    int32Data: [],
    stringData: [],
    int64Data: [],
    doubleData: [],
    uint64Data: [],
    externalData: [],
  }
}

/** A dimension given by name is free: it may differ from run to run. */
export function valueInfo(
  name: string,
  datatype: Datatype,
  shape: readonly (number | string)[],
): ValueInfoProto {
  const dim = shape.map((size) =>
    typeof size === 'number' ? { dimValue: BigInt(size) } : { dimParam: size },
  )
  return { name, type: { tensorType: { elemType: ONNX_TYPE[datatype], shape: { dim } } } }
}

export function graph(
  name: string,
  parts: Pick<GraphProto, 'input' | 'output' | 'node'> & { initializer?: TensorProto[] },
): GraphProto {
  return { initializer: [], ...parts, name, sparseInitializer: [] }
}

export function model(graph: GraphProto): ModelProto {
  return {
    irVersion: IR_VERSION,
    producerName: 'assay',
    opsetImport: [{ version: OPSET }],
    graph,
    functions: [],
  }
}
