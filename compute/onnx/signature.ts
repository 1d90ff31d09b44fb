import type { Datatype, Tensor } from '../work/tensor-bundle.ts'
import { datatypeOf } from './datatype.ts'
import { type GraphProto, ModelError, type ModelProto, type ValueInfoProto } from './model.ts'

/** null: the dimension is free. */
export interface TensorSignature {
  name: string
  datatype: Datatype
  shape: (number | null)[]
}

export interface ModelSignature {
  inputs: TensorSignature[]
  outputs: TensorSignature[]
  /** Version of the default operator set. */
  opset: number
}

/** What has to be fed and what comes out, in the graph's order. Throws ModelError. */
export function modelSignature(model: ModelProto): ModelSignature {
  const graph = graphOf(model)
  // Before IR version 4 every initializer stood among the inputs, too; none of them has to be fed.
  const initializers = new Set(graph.initializer.map(({ name }) => name))
  return {
    inputs: graph.input.filter(({ name }) => !initializers.has(name)).map(tensorSignature),
    outputs: graph.output.map(tensorSignature),
    opset: defaultOpset(model),
  }
}

/** Those of the first input where its first dimension is free, 0 where that input is missing; else 1. */
export function batchRows(
  { inputs: [first] }: Pick<ModelSignature, 'inputs'>,
  tensors: readonly Tensor[],
): number {
  if (first?.shape[0] !== null) return 1
  return tensors.find(({ name }) => name === first.name)?.shape[0] ?? 0
}

export function graphOf(model: ModelProto): GraphProto {
  if (model.graph === undefined) throw new ModelError('the model has no graph')
  return model.graph
}

function defaultOpset(model: ModelProto): number {
  const versions = model.opsetImport.flatMap(({ domain = '', version }) =>
    (domain === '' || domain === 'ai.onnx') && version !== undefined ? [Number(version)] : [],
  )
  if (versions.length === 0) throw new ModelError('the model imports no default operator set')
  return Math.max(...versions)
}

function tensorSignature({ name = '', type }: ValueInfoProto): TensorSignature {
  const datatype = datatypeOf(type?.tensorType?.elemType)
  const shape = type?.tensorType?.shape
  if (name === '' || datatype === undefined || shape === undefined) {
    throw new ModelError(`${JSON.stringify(name)} is not a named tensor of a supported type and known rank`)
  }
  return {
    name,
    datatype,
    shape: shape.dim.map(({ dimValue }) => (dimValue === undefined ? null : size(name, dimValue))),
  }
}

function size(name: string, dimValue: bigint): number | null {
  // Some exporters write −1 for a free dimension; ONNX Runtime takes it as one.
  if (dimValue < 0n) return null
  if (dimValue > BigInt(Number.MAX_SAFE_INTEGER)) throw new ModelError(`a dimension of ${name} is too large`)
  return Number(dimValue)
}
