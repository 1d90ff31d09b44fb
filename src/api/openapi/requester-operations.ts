import { z } from 'zod'
import { indexRequest, loadRequest } from '../repository-routes.ts'
import { account, withdrawal } from '../requester-routes.ts'
import { json, type Operation } from './operation.ts'

const money = z.string().describe('Millisatoshis.')
const opened = z.object({
  requester: z.string(),
  depositAddress: z.string(),
  refundAddress: z.string(),
  entryIndex: z.int(),
})
export const holding = opened.extend({
  balanceMsat: money,
  reservedMsat: money,
  withdrawingMsat: money,
  availableMsat: money,
})
const tensor = z.object({ name: z.string(), datatype: z.string(), shape: z.array(z.int()) })
const metadata = z.object({
  name: z.string(),
  versions: z.array(z.string()),
  platform: z.string(),
  inputs: z.array(tensor),
  outputs: z.array(tensor),
})
const configured = z.array(z.object({ name: z.string(), data_type: z.string(), dims: z.array(z.int()) }))
const configuration = z.object({
  name: z.string(),
  platform: z.string(),
  backend: z.string(),
  max_batch_size: z.literal(0),
  input: configured,
  output: configured,
  default_model_filename: z.string(),
})
const ready = z.object({ name: z.string(), ready: z.literal(true) })
const parameters = z.record(z.string(), z.unknown())
const withData = tensor.extend({ data: z.array(z.unknown()).optional(), parameters: parameters.optional() })
const inferRequest = z.object({
  id: z.string().optional(),
  inputs: z.array(withData),
  outputs: z.array(z.object({ name: z.string(), parameters: parameters.optional() })).optional(),
  parameters: parameters.optional(),
})
const inferAnswer = z.object({
  model_name: z.string(),
  model_version: z.string(),
  outputs: z.array(withData),
  parameters: z.object({
    assay_receipt_id: z.string(),
    assay_job: z.string().describe('CBOR in hex, as the log has it.'),
    assay_input_salt: z.string(),
    assay_output_salt: z.string(),
  }),
})

const duration = z.object({ count: z.int(), ns: z.int() })
const statistics = z.object({
  model_stats: z.array(
    z.object({
      name: z.string(),
      version: z.string(),
      last_inference: z.int(),
      inference_count: z.int(),
      execution_count: z.int(),
      inference_stats: z.record(z.string(), duration),
      batch_stats: z.array(z.unknown()),
    }),
  ),
})
const index = z.array(
  z.object({
    name: z.string(),
    version: z.string(),
    state: z.enum(['READY', 'UNAVAILABLE']),
    reason: z.string(),
  }),
)

/** A model's, by its name and by its version. */
function ofModel(
  id: string,
  tail: string,
  rest: Omit<Operation, 'id' | 'path' | 'opener' | 'status'>,
): Operation[] {
  return ['', '/versions/{version}'].map((version, i) => ({
    ...rest,
    id: i === 0 ? id : `${id}Version`,
    path: `/v2/models/{name}${version}${tail}`,
    opener: tail === '/infer' ? 'requester' : 'anybody',
    status: 200,
  }))
}

const server = { method: 'get', opener: 'anybody', status: 200 } as const

export const REQUESTER_OPERATIONS: readonly Operation[] = [
  {
    id: 'openAccount',
    method: 'post',
    path: '/v1/requesters',
    summary: 'Opens an account; its API key is shown this once.',
    opener: 'anybody',
    body: json(account),
    status: 201,
    answer: json(opened.extend({ apiKey: z.string() })),
  },
  {
    id: 'account',
    method: 'get',
    path: '/v1/requesters/{name}',
    summary: 'What is left in an account.',
    opener: 'requester',
    status: 200,
    answer: json(holding),
  },
  {
    id: 'withdraw',
    method: 'post',
    path: '/v1/requesters/{name}/withdrawals',
    summary: 'What it wants back by the next payouts, in the place of what it wanted before.',
    opener: 'requester',
    body: json(withdrawal),
    status: 202,
    answer: json(holding),
  },
  {
    ...server,
    id: 'server',
    path: '/v2',
    summary: 'The server and its extensions.',
    answer: json(z.object({ name: z.string(), version: z.string(), extensions: z.array(z.string()) })),
  },
  {
    ...server,
    id: 'serverLive',
    path: '/v2/health/live',
    summary: 'Whether it runs.',
    answer: json(z.object({ live: z.literal(true) })),
  },
  {
    ...server,
    id: 'serverReady',
    path: '/v2/health/ready',
    summary: 'Whether it takes requests.',
    answer: json(z.object({ ready: z.literal(true) })),
  },
  ...ofModel('model', '', {
    method: 'get',
    summary: 'What a model takes and gives.',
    answer: json(metadata),
  }),
  ...ofModel('modelConfiguration', '/config', {
    method: 'get',
    summary: "The same as Triton's configuration.",
    answer: json(configuration),
  }),
  ...ofModel('modelReady', '/ready', {
    method: 'get',
    summary: 'Whether a model is served.',
    answer: json(ready),
  }),
  ...ofModel('modelStatistics', '/stats', {
    method: 'get',
    summary: 'How many requests a model has had, and how long they took.',
    answer: json(statistics),
  }),
  {
    ...server,
    id: 'statistics',
    path: '/v2/models/stats',
    summary: 'The same of all models.',
    answer: json(statistics),
  },
  {
    id: 'repositoryIndex',
    method: 'post',
    path: '/v2/repository/index',
    summary: 'The models that are served, or may be.',
    opener: 'anybody',
    body: json(indexRequest),
    status: 200,
    answer: json(index),
  },
  {
    id: 'loadModel',
    method: 'post',
    path: '/v2/repository/models/{name}/load',
    summary: 'Takes requests for a model again.',
    opener: 'operator',
    body: json(loadRequest),
    status: 200,
    answer: null,
  },
  {
    id: 'unloadModel',
    method: 'post',
    path: '/v2/repository/models/{name}/unload',
    summary: 'Takes no more requests for a model.',
    opener: 'operator',
    status: 200,
    answer: null,
  },
  ...ofModel('infer', '/infer', {
    method: 'post',
    summary: 'Asks a model; binary tensors by the header inference-header-content-length.',
    body: json(inferRequest),
    answer: json(inferAnswer),
  }),
]
