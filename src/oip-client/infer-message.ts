import { z } from 'zod'
import { JobError, parseJob } from '../../compute/work/job.ts'
import { DATATYPES } from '../../compute/work/tensor-bundle.ts'
import { ClientError } from '../client/ask-coordinator.ts'
import { type ClientTensor, tensorsOf } from './client-tensor.ts'
import { tensorData } from './tensor-data.ts'

export interface InferenceRequest {
  readonly inputs: Readonly<Record<string, ClientTensor>>
  /** All of the model's when not given; a receipt commits to all at once, so that `verifiedProof` can't check some of them. */
  readonly outputs?: readonly string[]
  /** 1 goes first; as good as 2 when not given. */
  readonly priority?: number
  /** Until the coordinator gives up: 30 s when not given, 5 minutes at most. */
  readonly timeoutMs?: number
}

/** What opens the receipt's commitments stands beside the outputs, in lower-case hex. */
interface Answer {
  readonly outputs: Readonly<Record<string, Required<ClientTensor>>>
  /** The name of the receipt, and of its proof. */
  readonly receiptId: string
  /** The record that the receipt names, CBOR. */
  readonly job: string
  readonly inputSalt: string
  readonly outputSalt: string
}

export interface Inference extends Answer {
  /** Of the inputs as they went: their arrays may hold the next ones by now. */
  readonly inputDigest: string
  /** The model may have more than came. */
  readonly hasNamedOutputs: boolean
}

const size = z.int().min(0)
const hash = z.string().regex(/^[0-9a-f]{64}$/)
const answerHead = z.object({
  parameters: z.object({
    assay_receipt_id: hash,
    assay_job: z.string().regex(/^([0-9a-f]{2})*$/),
    assay_input_salt: hash,
    assay_output_salt: hash,
  }),
  outputs: z.array(
    z.object({
      name: z.string(),
      datatype: z.enum(DATATYPES),
      shape: z.array(size),
      parameters: z.object({ binary_data_size: size }),
    }),
  ),
})

/** With every tensor as binary data: bits as they are, and no number that JSON has no form for. */
export function encodeRequest({ inputs, outputs, priority, timeoutMs }: InferenceRequest): {
  jsonBytes: number
  body: Uint8Array<ArrayBuffer>
} {
  const tensors = tensorsOf(inputs)
  const json = Buffer.from(
    JSON.stringify({
      inputs: tensors.map(({ data, ...head }) => ({
        ...head,
        parameters: { binary_data_size: data.length },
      })),
      outputs: outputs?.map((name) => ({ name })),
      parameters: {
        binary_data_output: true,
        priority,
        timeout: timeoutMs === undefined ? undefined : Math.ceil(timeoutMs * 1_000),
      },
    }),
  )
  return { jsonBytes: json.length, body: Buffer.concat([json, ...tensors.map(({ data }) => data)]) }
}

/** Throws ClientError `answer_malformed`. */
export function parseAnswer(jsonBytes: number, body: Uint8Array): Answer {
  const head = answerHead.safeParse(parseJson(body.subarray(0, jsonBytes)))
  if (!head.success) throw malformed(z.prettifyError(head.error))
  let at = jsonBytes
  const outputs = head.data.outputs.map(
    ({ name, datatype, shape, parameters }): [string, Required<ClientTensor>] => {
      const end = at + parameters.binary_data_size
      const data = end > body.length ? null : tensorData(datatype, body.subarray(at, end))
      const count = shape.reduce((product, dimension) => product * dimension, 1)
      if (data === 'not_utf8') throw malformed(`output ${name} holds bytes that are not UTF-8`)
      if (data?.length !== count) throw malformed(`output ${name} does not hold ${datatype} [${shape}]`)
      at = end
      return [name, { datatype, shape, data }]
    },
  )
  if (at !== body.length) throw malformed(`${body.length - at} bytes are no output's`)
  const { parameters } = head.data
  return {
    outputs: Object.fromEntries(outputs),
    receiptId: parameters.assay_receipt_id,
    job: checkedJob(parameters.assay_job),
    inputSalt: parameters.assay_input_salt,
    outputSalt: parameters.assay_output_salt,
  }
}

function checkedJob(hex: string): string {
  try {
    parseJob(Buffer.from(hex, 'hex'))
    return hex
  } catch (cause) {
    if (!(cause instanceof JobError)) throw cause
    throw malformed(cause.message, cause)
  }
}

function parseJson(json: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(json).toString('utf8'))
  } catch (cause) {
    throw malformed('its head is not JSON', cause)
  }
}

function malformed(why: string, cause?: unknown): ClientError {
  return new ClientError('answer_malformed', null, `the coordinator's answer: ${why}`, cause)
}
