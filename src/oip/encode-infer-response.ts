import type { TensorSignature } from '../../compute/onnx/signature.ts'
import { hex } from '../../compute/work/hex.ts'
import type { Tensor } from '../../compute/work/tensor-bundle.ts'
import { dataToJson } from './json-data.ts'
import { OipError } from './oip-error.ts'
import type { RequestedOutput } from './parse-infer-request.ts'
import { HEADER_LENGTH } from './split-body.ts'

interface InferResponse {
  readonly id: string | null
  readonly modelName: string
  readonly modelVersion: string
  /** The model's outputs as it declares them, and as a worker gave them. */
  readonly signature: readonly TensorSignature[]
  readonly tensors: readonly Tensor[]
  readonly requested: readonly RequestedOutput[]
  /** Lower-case hex. */
  readonly receiptId: string
  /** What opens the receipt's commitments (docs/PROTOCOL.md §6). */
  readonly opening: {
    readonly job: Uint8Array
    readonly inputSalt: Uint8Array
    readonly outputSalt: Uint8Array
  }
}

/** $inference_response of the Open Inference Protocol v2; binary outputs after the JSON. Throws OipError. */
export function encodeInferResponse(response: InferResponse): {
  headers: Record<string, string>
  body: Uint8Array
} {
  const binary: Uint8Array[] = []
  const outputs = response.requested.map(({ name, isBinary }) => {
    const tensor = outputNamed(name, response)
    const { datatype, shape, data } = tensor
    if (!isBinary) return { name, datatype, shape, data: dataToJson(tensor) }
    binary.push(data)
    return { name, datatype, shape, parameters: { binary_data_size: data.length } }
  })
  const { job, inputSalt, outputSalt } = response.opening
  const json = Buffer.from(
    JSON.stringify({
      ...(response.id === null ? {} : { id: response.id }),
      model_name: response.modelName,
      model_version: response.modelVersion,
      parameters: {
        assay_receipt_id: response.receiptId,
        assay_job: hex(job),
        assay_input_salt: hex(inputSalt),
        assay_output_salt: hex(outputSalt),
      },
      outputs,
    }),
  )
  if (binary.length === 0) return { headers: { 'content-type': 'application/json' }, body: json }
  return {
    headers: { 'content-type': 'application/octet-stream', [HEADER_LENGTH]: String(json.length) },
    body: Buffer.concat([json, ...binary]),
  }
}

/** A worker answers with what it likes, until an audit: at least it must be named and typed as the model's output. */
function outputNamed(name: string, { signature, tensors }: InferResponse): Tensor {
  const declared = signature.find((output) => output.name === name)
  const tensor = tensors.find((output) => output.name === name)
  if (tensor === undefined || tensor.datatype !== declared?.datatype) {
    throw new OipError('answer_invalid', `the worker's answer has no ${declared?.datatype} output "${name}"`)
  }
  return tensor
}
