import type { ModelSignature, TensorSignature } from '../../compute/onnx/signature.ts'
import type { DeclaredTensor, ModelConfig } from './model-config.ts'
import { RepositoryError } from './repository-error.ts'

/**
 * Holds what a configuration declares against the graph, as Triton's ONNX Runtime backend does: every input, any of the outputs; a
 * dimension that the graph leaves free may be declared of a size. Throws RepositoryError `repository_config_differs`.
 */
export function checkDeclared(
  { maxBatchSize, inputs, outputs }: Pick<ModelConfig, 'maxBatchSize' | 'inputs' | 'outputs'>,
  signature: Pick<ModelSignature, 'inputs' | 'outputs'>,
  where: string,
): void {
  const bound = maxBatchSize > 0 ? signature.inputs.find(({ shape }) => shape[0] !== null) : undefined
  if (bound !== undefined) {
    const shape = shapeOf(bound.shape)
    throw differs(where, `max_batch_size is ${maxBatchSize}, and input "${bound.name}" is ${shape}: no batch`)
  }
  checkTensors('input', inputs, signature.inputs)
  checkTensors('output', outputs, signature.outputs)
  const undeclared = signature.inputs.find(({ name }) => !inputs.some((input) => input.name === name))
  if (inputs.length > 0 && undeclared !== undefined) {
    throw differs(where, `input "${undeclared.name}" of the graph is not declared`)
  }

  function checkTensors(
    kind: string,
    declared: readonly DeclaredTensor[],
    held: readonly TensorSignature[],
  ): void {
    const left = new Map(held.map((tensor) => [tensor.name, tensor]))
    for (const { name, dataType, dims } of declared) {
      const tensor = left.get(name)
      if (tensor === undefined) {
        throw differs(where, `${kind} "${name}" is not one of the graph's, or is declared twice`)
      }
      left.delete(name)
      if (dataType !== tritonType(tensor)) {
        throw differs(where, `${kind} "${name}" is ${dataType}, in the graph ${tritonType(tensor)}`)
      }
      const shape = maxBatchSize > 0 ? [-1, ...dims] : dims
      const fits =
        shape.length === tensor.shape.length &&
        tensor.shape.every((size, axis) => size === null || size === shape[axis])
      if (!fits) {
        throw differs(where, `${kind} "${name}" is [${shape}], in the graph ${shapeOf(tensor.shape)}`)
      }
    }
  }
}

function tritonType({ datatype }: TensorSignature): string {
  return datatype === 'BYTES' ? 'TYPE_STRING' : `TYPE_${datatype}`
}

function shapeOf(shape: readonly (number | null)[]): string {
  return `[${shape.map((size) => size ?? -1)}]`
}

function differs(where: string, what: string): RepositoryError {
  return new RepositoryError('repository_config_differs', `${where}: ${what}`)
}
