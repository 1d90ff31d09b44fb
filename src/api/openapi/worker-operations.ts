import { z } from 'zod'
import { anyBytes, bytes32, integer } from '../../../compute/work/record.ts'
import {
  addressChange,
  commitments,
  failures,
  leaseRequest,
  registration,
  results,
  reveals,
  submission,
} from '../worker-routes.ts'
import { type Content, cbor, json, type Operation } from './operation.ts'

const entryIndex = json(z.object({ index: integer }))
const acknowledgement = z.object({
  checkpoint: z.string(),
  entry: anyBytes,
  index: integer,
  path: z.array(bytes32),
})

function post(
  id: string,
  path: string,
  summary: string,
  body: z.ZodType,
  answer: Content,
  status = 200,
): Operation {
  return { id, method: 'post', path, summary, opener: 'worker', body: cbor(body), status, answer }
}

export const WORKER_OPERATIONS: readonly Operation[] = [
  post('register', '/v1/workers', 'Registers a key and where it is paid.', registration, entryIndex, 201),
  post(
    'changeAddress',
    '/v1/workers/address',
    'Another address, by the word of the one so far.',
    addressChange,
    entryIndex,
    201,
  ),
  post(
    'lease',
    '/v1/leases',
    'Waits for work.',
    leaseRequest,
    cbor(
      z.object({
        jobs: z.array(z.object({ inputs: anyBytes, job: anyBytes, salt: bytes32 })),
        reason: z.string().nullable(),
      }),
    ),
  ),
  post(
    'sendResults',
    '/v1/results',
    'Outputs with their receipts.',
    results,
    json(
      z.object({
        accepted: integer,
        answeredMs: integer,
        refused: z.array(z.object({ receipt: z.string(), code: z.string(), detail: z.string() })),
      }),
    ),
  ),
  post('sendFailures', '/v1/failures', 'Gives jobs back.', failures, json(z.object({ released: integer }))),
  post('submit', '/v1/submissions', 'A signed tree of receipts.', submission, cbor(acknowledgement)),
  post(
    'leaseAudits',
    '/v1/audits/leases',
    'Waits for audits.',
    leaseRequest,
    cbor(
      z.object({
        audits: z.array(
          z.object({ inputs: anyBytes, job: anyBytes, receipt: bytes32, round: integer, salt: bytes32 }),
        ),
      }),
    ),
  ),
  post('commit', '/v1/audits/commitments', 'Says what was found, sealed.', commitments, entryIndex),
  post(
    'reveal',
    '/v1/audits/reveals',
    'Opens what was sealed.',
    reveals,
    json(z.object({ verdicts: z.array(z.object({ receipt: z.string(), verdict: z.string().nullable() })) })),
  ),
]
