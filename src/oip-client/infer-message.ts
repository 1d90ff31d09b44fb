import { z } from 'zod'
import { DATATYPES, type Datatype } from '../../compute/work/tensor-bundle.ts'
import { ClientError } from '../client/ask-coordinator.ts'
import { datatypeOf, type TensorData, tensorBytes, tensorData } from './tensor-data.ts'

export interface ClientTensor {
  readonly shape: readonly number[]
  readonly data: TensorData
  /** Needed for BOOL (a Uint8Array) and FP16 (a Uint16Array) alone. */
  readonly datatype?: Datatype
}

export interface InferenceRequest {
  readonly inputs: Readonly<Record<string, ClientTensor>>
  /** All of the model's when not given. */
  readonly outputs?: readonly string[]
  /** 1 goes first; as good as 2 when not given. */
  readonly priority?: number
  /** Until the coordinator gives up: 30 s when not given, 5 minutes at most. */
  readonly timeoutMs?: number
}

export interface Inference {
  readonly outputs: Readonly<Record<string, Required<ClientTensor>>>
  /** Lower-case hex: the name of the receipt, and of its proof. */
  readonly receiptId: string
}

const size = z.int().min(0)
const answerHead = z.object({
  parameters: z.object({ assay_receipt_id: z.string().regex(/^[0-9a-f]{64}$/) }),
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
  const tensors = Object.entries(inputs).map(([name, { shape, data, datatype = datatypeOf(data) }]) => ({
    head: { name, shape, datatype },
    bytes: tensorBytes(data),
  }))
  const json = Buffer.from(
    JSON.stringify({
      inputs: tensors.map(({ head, bytes }) => ({ ...head, parameters: { binary_data_size: bytes.length } })),
      outputs: outputs?.map((name) => ({ name })),
      parameters: {
        binary_data_output: true,
        priority,
        timeout: timeoutMs === undefined ? undefined : Math.ceil(timeoutMs * 1_000),
      },
    }),
  )
  return { jsonBytes: json.length, body: Buffer.concat([json, ...tensors.map(({ bytes }) => bytes)]) }
}

/** Throws ClientError `answer_malformed`. */
export function parseAnswer(jsonBytes: number, body: Uint8Array): Inference {
  const head = answerHead.safeParse(parseJson(body.subarray(0, jsonBytes)))
  if (!head.success) throw malformed(z.prettifyError(head.error))
  let at = jsonBytes
  const outputs = head.data.outputs.map(
    ({ name, datatype, shape, parameters }): [string, Required<ClientTensor>] => {
      const end = at + parameters.binary_data_size
      const data = end > body.length ? null : tensorData(datatype, body.subarray(at, end))
      const count = shape.reduce((product, dimension) => product * dimension, 1)
      if (data?.length !== count) throw malformed(`output ${name} does not hold ${datatype} [${shape}]`)
      at = end
      return [name, { datatype, shape, data }]
    },
  )
  if (at !== body.length) throw malformed(`${body.length - at} bytes are no output's`)
  return { outputs: Object.fromEntries(outputs), receiptId: head.data.parameters.assay_receipt_id }
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
