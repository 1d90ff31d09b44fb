import {
  type AttributeProto,
  decodeModel,
  type GraphProto,
  type ModelProto,
  type TensorProto,
} from './model.ts'
import { graphOf, type ModelSignature, modelSignature } from './signature.ts'

/** A worker holds a model in memory about three times while it loads it; 512 MiB keeps that below its memory cap. */
export const MAX_MODEL_BYTES = 512 * 1024 * 1024

/** The largest graphs in public model collections have some ten thousand nodes. */
export const MAX_MODEL_NODES = 50_000

/** As many as a tensor bundle may hold. */
const MAX_TENSORS = 64

/** Below it most operators have no CPU kernel in ONNX Runtime 1.30. */
const MIN_OPSET = 7

type AdmissionCode =
  | 'model_too_large'
  | 'model_opset_unsupported'
  | 'model_external_data'
  | 'model_control_flow'
  | 'model_functions'
  | 'model_sparse'

/** The model may not be registered or run here. Codes: AdmissionCode. */
export class AdmissionError extends Error {
  override readonly name = 'AdmissionError'
  readonly code: AdmissionCode

  constructor(code: AdmissionCode, message: string) {
    super(message)
    this.code = code
  }
}

/**
 * Decodes a model and refuses what no worker should run: what is too large, reads other files, or whose work does not
 * follow from its tensors' shapes. Throws AdmissionError, or ModelError where the bytes are no such model.
 */
export function admitModel(bytes: Uint8Array): { model: ModelProto; signature: ModelSignature } {
  if (bytes.length > MAX_MODEL_BYTES) {
    throw new AdmissionError('model_too_large', `${bytes.length} bytes, at most ${MAX_MODEL_BYTES}`)
  }
  const model = decodeModel(bytes)
  const graph = graphOf(model)
  // A function's body would be work that neither this check nor the count of multiply–accumulates sees.
  if (model.functions.length > 0) throw new AdmissionError('model_functions', 'the model defines functions')
  admitGraph(graph)
  const signature = modelSignature(model)
  if (signature.opset < MIN_OPSET) {
    throw new AdmissionError('model_opset_unsupported', `opset ${signature.opset}, at least ${MIN_OPSET}`)
  }
  if (signature.inputs.length > MAX_TENSORS || signature.outputs.length > MAX_TENSORS) {
    throw new AdmissionError('model_too_large', `more than ${MAX_TENSORS} inputs or outputs`)
  }
  return { model, signature }
}

function admitGraph(graph: GraphProto): void {
  if (graph.node.length > MAX_MODEL_NODES) {
    throw new AdmissionError('model_too_large', `${graph.node.length} nodes, at most ${MAX_MODEL_NODES}`)
  }
  if (graph.sparseInitializer.length > 0) throw new AdmissionError('model_sparse', 'a sparse initializer')
  graph.initializer.forEach(admitTensor)
  for (const { opType = '', attribute } of graph.node) {
    for (const one of attribute) admitAttribute(opType, one)
  }
}

function admitAttribute(opType: string, attribute: AttributeProto): void {
  // Loop, Scan, If, SequenceMap: how often a subgraph runs is decided by data.
  if (attribute.g !== undefined || attribute.graphs.length > 0) {
    throw new AdmissionError('model_control_flow', `${opType} runs a subgraph`)
  }
  if (attribute.sparseTensor !== undefined || attribute.sparseTensors.length > 0) {
    throw new AdmissionError('model_sparse', `${opType} holds a sparse tensor`)
  }
  if (attribute.t !== undefined) admitTensor(attribute.t)
  attribute.tensors.forEach(admitTensor)
}

function admitTensor({ name = '', dataLocation = 0, externalData }: TensorProto): void {
  // The digest of the model would not cover it, and it may name any file of the worker's machine.
  if (dataLocation !== 0 || externalData.length > 0) {
    throw new AdmissionError('model_external_data', `${name} is kept outside the model's file`)
  }
}
