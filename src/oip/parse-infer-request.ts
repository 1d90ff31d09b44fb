import type { IncomingHttpHeaders } from 'node:http'
import { batchRows, type ModelSignature, type TensorSignature } from '../../compute/onnx/signature.ts'
import type { Tensor } from '../../compute/work/tensor-bundle.ts'
import { binaryOnly } from './json-data.ts'
import { OipError } from './oip-error.ts'
import { rawRequestHead } from './raw-request-head.ts'
import { readInputs } from './read-inputs.ts'
import type { RequestOutput } from './request-head.ts'
import { parseRequestHead } from './request-head.ts'
import { HEADER_LENGTH, splitBody } from './split-body.ts'

export interface RequestedOutput {
  readonly name: string
  readonly isBinary: boolean
}

export interface InferRequest {
  /** To be given back in the response. */
  readonly id: string | null
  readonly inputs: readonly Tensor[]
  /** In the order of the response; every output of the model when the request names none. */
  readonly outputs: readonly RequestedOutput[]
  /** Rows in the batch: the first input's first dimension when the model leaves it free, else 1. */
  readonly items: number
  readonly timeoutMicroseconds: number | null
  /** 1 is the first to be served; null: as the request does not say. */
  readonly priority: number | null
}

/**
 * An inference request of the Open Inference Protocol v2 over HTTP with Triton's binary tensor data extension, whole and
 * fitting the model. Throws OipError.
 */
export function parseInferRequest(
  headers: IncomingHttpHeaders,
  body: Uint8Array,
  signature: Pick<ModelSignature, 'inputs' | 'outputs'>,
): InferRequest {
  const headerLength = headers[HEADER_LENGTH]
  const { json, binary } = splitBody(body, Array.isArray(headerLength) ? headerLength.join() : headerLength)
  const isRaw = json.length === 0 && headerLength !== undefined
  const head = isRaw ? rawRequestHead(binary, signature.inputs) : parseRequestHead(json)
  const { id, inputs, outputs = [], parameters = {} } = head
  const tensors = readInputs(inputs, binary, signature.inputs)
  const items = batchRows(signature, tensors)
  if (items === 0) throw new OipError('batch_empty', `input "${signature.inputs[0]?.name}" has no rows`)
  return {
    id: id ?? null,
    inputs: tensors,
    outputs: requestedOutputs(outputs, signature.outputs, parameters.binary_data_output ?? false),
    items,
    timeoutMicroseconds: parameters.timeout ?? null,
    priority: parameters.priority ?? null,
  }
}

function requestedOutputs(
  asked: readonly RequestOutput[],
  held: readonly TensorSignature[],
  isBinaryByDefault: boolean,
): RequestedOutput[] {
  if (asked.length === 0) return held.map((tensor) => requested(tensor, isBinaryByDefault))
  const byName = new Map(held.map((tensor) => [tensor.name, tensor]))
  const names = new Set<string>()
  return asked.map(({ name, parameters = {} }) => {
    const tensor = byName.get(name)
    if (tensor === undefined) {
      const known = [...byName.keys()].join(', ')
      throw new OipError('output_unknown', `"${name}" is no output of the model: ${known}`)
    }
    if (names.has(name)) throw new OipError('output_repeated', `output "${name}" is asked for twice`)
    names.add(name)
    if (parameters.classification !== undefined || parameters.shared_memory_region !== undefined) {
      throw new OipError(
        'parameter_unsupported',
        `output "${name}": classification and shared memory are not supported`,
      )
    }
    return requested(tensor, parameters.binary_data ?? isBinaryByDefault)
  })
}

/** Refuses before the work is done what could not be answered after it. */
function requested({ name, datatype }: TensorSignature, isBinary: boolean): RequestedOutput {
  if (datatype === 'FP16' && !isBinary) throw binaryOnly(name, 'is FP16')
  return { name, isBinary }
}
