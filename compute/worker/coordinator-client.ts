import { z } from 'zod'
import type { AuditCommitment } from '../work/audit-commitment.ts'
import { CborError, decodeCbor } from '../work/canonical-cbor.ts'
import { hex } from '../work/hex.ts'
import { modelProfile } from '../work/model-profile.ts'
import { anyBytes, bytes32, integer } from '../work/record.ts'
import type { Registration } from '../work/worker-registration.ts'
import { CoordinatorError } from './coordinator-error.ts'
import type { Exchange } from './exchange.ts'

const MAX_CBOR_BYTES = 64 * 1024 * 1024

const hex32 = z.string().regex(/^[0-9a-f]{64}$/)
// JSON answers may grow new members; CBOR ones may not.
const infoSchema = z.object({
  origin: z.string(),
  logKey: z.string(),
  subnets: z.array(
    z.object({
      name: z.string(),
      models: z.array(
        z.object({
          digest: hex32,
          bytes: integer,
          profile: modelProfile,
        }),
      ),
    }),
  ),
})
const registeredSchema = z.object({ index: integer })
const workerSchema = z.object({ nextSequence: integer, previous: hex32 })
const resultsSchema = z.object({
  refused: z.array(z.object({ receipt: hex32, code: z.string(), detail: z.string() })),
})
const auditorsSchema = z.object({ auditors: z.array(z.object({ auditor: hex32 })) })
const leasesSchema = z.strictObject({
  jobs: z.array(z.strictObject({ inputs: anyBytes, job: anyBytes, salt: bytes32 })),
  reason: z.string().nullable(),
})
const auditsSchema = z.strictObject({
  audits: z.array(
    z.strictObject({ inputs: anyBytes, job: anyBytes, receipt: bytes32, round: integer, salt: bytes32 }),
  ),
})
const verdictsSchema = z.object({
  verdicts: z.array(z.object({ receipt: hex32, verdict: z.enum(['pass', 'fail', 'inconclusive']) })),
})

export type CoordinatorInfo = z.infer<typeof infoSchema>
type Lease = z.infer<typeof leasesSchema>
export type LeasedJob = Lease['jobs'][number]
export type LeasedAudit = z.infer<typeof auditsSchema>['audits'][number]
export type Verdict = z.infer<typeof verdictsSchema>['verdicts'][number]
type RefusedResult = z.infer<typeof resultsSchema>['refused'][number]

export interface Result {
  readonly outputs: Uint8Array
  readonly receipt: Uint8Array
  readonly salt: Uint8Array
}

export interface Submission {
  readonly header: Uint8Array
  readonly receipts: readonly Uint8Array[]
  readonly signature: Uint8Array
}

export interface Reveal {
  /** null: could not run. */
  readonly outputs: Uint8Array | null
  readonly receipt: Uint8Array
  readonly round: number
  readonly salt: Uint8Array
}

/** The worker's calls. Each throws CoordinatorError; `signal` gives the call up and throws its reason. */
export interface CoordinatorClient {
  info(signal: AbortSignal): Promise<CoordinatorInfo>
  /** @returns index of the entry in the log */
  register(registration: Registration, signal: AbortSignal): Promise<number>
  /** Keys, hex, of those that may be drawn. */
  auditors(signal: AbortSignal): Promise<string[]>
  /** The worker's chain as the log has it. */
  chain(worker: Uint8Array): Promise<{ nextSequence: number; previous: Uint8Array }>
  /** `reason`: a code, why this worker gets no jobs whatever there is to do; else null. */
  lease(max: number, waitMs: number, signal: AbortSignal): Promise<Lease>
  sendResults(results: readonly Result[]): Promise<RefusedResult[]>
  sendFailure(job: Uint8Array, reason: string): Promise<void>
  /** @returns the acknowledgement, as it came */
  submit(submission: Submission): Promise<Uint8Array>
  leaseAudits(max: number, waitMs: number, signal: AbortSignal): Promise<LeasedAudit[]>
  /** Logged when it returns. */
  commit(commitments: readonly AuditCommitment[], signature: Uint8Array): Promise<void>
  reveal(reveals: readonly Reveal[]): Promise<Verdict[]>
}

export function openCoordinatorClient(exchange: Exchange): CoordinatorClient {
  return {
    info: async (signal) => fromJson(infoSchema, await exchange.get('/v1/info', { signal })),
    register: async (registration, signal) =>
      fromJson(registeredSchema, await exchange.post('/v1/workers', registration, { signal })).index,
    async auditors(signal) {
      const { auditors } = fromJson(auditorsSchema, await exchange.get('/v1/auditors', { signal }))
      return auditors.map(({ auditor }) => auditor)
    },
    async chain(worker) {
      const path = `/v1/workers/${hex(worker)}`
      const { nextSequence, previous } = fromJson(workerSchema, await exchange.get(path))
      return { nextSequence, previous: Buffer.from(previous, 'hex') }
    },
    lease: async (max, waitMs, signal) =>
      fromCbor(leasesSchema, await exchange.post('/v1/leases', { max, waitMs }, { waitMs, signal })),
    sendResults: async (results) =>
      fromJson(resultsSchema, await exchange.post('/v1/results', { results })).refused,
    async sendFailure(job, reason) {
      await exchange.post('/v1/failures', { failures: [{ job, reason }] })
    },
    submit: (submission) => exchange.post('/v1/submissions', submission),
    leaseAudits: async (max, waitMs, signal) =>
      fromCbor(auditsSchema, await exchange.post('/v1/audits/leases', { max, waitMs }, { waitMs, signal }))
        .audits,
    async commit(commitments, signature) {
      await exchange.post('/v1/audits/commitments', { commitments, signature })
    },
    reveal: async (reveals) =>
      fromJson(verdictsSchema, await exchange.post('/v1/audits/reveals', { reveals })).verdicts,
  }
}

function fromJson<T>(schema: z.ZodType<T>, bytes: Uint8Array): T {
  try {
    return schema.parse(JSON.parse(Buffer.from(bytes).toString('utf8')))
  } catch (cause) {
    throw malformed(cause)
  }
}

function fromCbor<T>(schema: z.ZodType<T>, bytes: Uint8Array): T {
  try {
    return schema.parse(decodeCbor(bytes, { maxBytes: MAX_CBOR_BYTES }))
  } catch (cause) {
    throw malformed(cause)
  }
}

function malformed(cause: unknown): CoordinatorError {
  const known = cause instanceof CborError || cause instanceof z.ZodError || cause instanceof SyntaxError
  if (!known) throw cause
  return new CoordinatorError({ code: 'answer_malformed', detail: cause.message }, { cause })
}
