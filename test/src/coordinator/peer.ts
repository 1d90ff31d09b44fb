import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import { taprootAddress } from '../../../anchor/taproot-address.ts'
import { auditCommitment, signCommitments } from '../../../compute/work/audit-commitment.ts'
import { decodeCbor, encodeCbor } from '../../../compute/work/canonical-cbor.ts'
import { jobId, parseJob } from '../../../compute/work/job.ts'
import { encodeReceipt, outputCommitment, type Receipt, receiptId } from '../../../compute/work/receipt.ts'
import { receiptLeaf } from '../../../compute/work/receipt-path.ts'
import { treeRoot } from '../../../compute/work/receipt-tree.ts'
import { anyBytes, bytes32, integer } from '../../../compute/work/record.ts'
import { MAX_SESSION_MS, openRequestSession } from '../../../compute/work/request-signature.ts'
import {
  encodeHeader,
  type SubmissionHeader,
  signSubmission,
  submissionId,
} from '../../../compute/work/submission.ts'
import { sha256 } from '../../../compute/work/tagged-hash.ts'
import { newWorkerKey, publicKeyOf } from '../../../compute/work/worker-key.ts'
import { signRegistration } from '../../../compute/work/worker-registration.ts'
import { TINY_PROFILE, tinyOutput } from './tiny-market.ts'

export const leaseAnswer = z.object({
  jobs: z.array(z.object({ inputs: anyBytes, job: anyBytes, salt: bytes32 })),
  reason: z.string().nullable(),
})
const auditAnswer = z.object({
  audits: z.array(
    z.object({ inputs: anyBytes, job: anyBytes, receipt: bytes32, round: integer, salt: bytes32 }),
  ),
})
const acknowledgementAnswer = z.object({
  checkpoint: z.string(),
  entry: anyBytes,
  index: integer,
  path: z.array(bytes32),
})
const verdictAnswer = z.object({ verdicts: z.array(z.object({ receipt: z.string(), verdict: z.string() })) })
const problem = z.looseObject({ status: integer, code: z.string(), detail: z.string() })

export type LeasedJob = z.infer<typeof leaseAnswer>['jobs'][number]
type AuditLease = z.infer<typeof auditAnswer>['audits'][number]

/** Outputs for inputs; null when the peer can't run it. */
type Compute = (inputs: Uint8Array) => Uint8Array | null

/** A worker's answer to one job, ready for /v1/results. */
export interface Work {
  readonly receipt: Uint8Array
  readonly outputs: Uint8Array
  readonly salt: Uint8Array
}

export interface Submission {
  readonly header: Uint8Array
  readonly receipts: readonly Uint8Array[]
  readonly signature: Uint8Array
}

export type Peer = ReturnType<typeof createPeer>

const MAX_ANSWER_BYTES = 64 * 1024 * 1024

/**
 * A worker or auditor that speaks the HTTP contract by the formats alone and answers whatever a test wants. `site` is
 * asked for its address at every call: a coordinator that starts again has another port.
 */
export function createPeer(
  site: { readonly url: string; readonly origin: string },
  secretKey: Uint8Array = newWorkerKey(),
) {
  const key = publicKeyOf(secretKey)
  const hex = Buffer.from(key).toString('hex')
  const session = openRequestSession(site.origin, secretKey, Date.now() + MAX_SESSION_MS)
  const addressKey = newWorkerKey()
  const address = taprootAddress(publicKeyOf(addressKey), 'regtest')
  let sequence = 0
  let previous: Uint8Array = new Uint8Array(32)

  function authorization(path: string, body: Uint8Array, timeMs = Date.now()): string {
    return session.sign({ method: 'POST', path, body }, timeMs)
  }

  /** `header`: instead of the peer's own signature; null for none. */
  function post(path: string, body: Uint8Array, header?: string | null): Promise<Response> {
    const value = header === undefined ? authorization(path, body) : header
    return fetch(new URL(path, site.url), {
      method: 'POST',
      headers: value === null ? {} : { authorization: value },
      body: new Uint8Array(body),
    })
  }

  async function call(path: string, value: unknown): Promise<unknown> {
    return accepted(await post(path, encodeCbor(value)))
  }

  function answer({ job, inputs }: LeasedJob, index: number, compute: Compute = tinyOutput): Work {
    const outputs = compute(inputs)
    if (outputs === null) throw new Error('a worker that has no outputs has no answer')
    return answerWith(job, { index }, outputs)
  }

  function answerWith(job: Uint8Array, changes: Partial<Receipt>, outputs: Uint8Array): Work {
    const salt = randomBytes(32)
    const receipt = encodeReceipt({
      v: 1,
      job: jobId(job),
      output: outputCommitment(salt, sha256(outputs)),
      index: 0,
      profile: { ...TINY_PROFILE, batch: parseJob(job).items },
      started: 1,
      finished: 2,
      energy: { method: 'none', millijoules: null },
      ...changes,
    })
    return { receipt, outputs, salt }
  }

  /** The next of the peer's chain over these receipts; `changes` to its header make it a false one. */
  function draft(
    receipts: readonly Uint8Array[],
    changes: Partial<SubmissionHeader> = {},
    signedFor = site.origin,
  ): Submission {
    const header = encodeHeader({
      v: 1,
      worker: key,
      sequence,
      previous,
      count: receipts.length,
      root: treeRoot(receipts.map((receipt) => receiptLeaf(receiptId(receipt)))),
      time: Date.now(),
      ...changes,
    })
    return { header, receipts, signature: signSubmission(header, signedFor, secretKey) }
  }

  async function submit(submission: Submission) {
    const acknowledgement = acknowledgementAnswer.parse(await call('/v1/submissions', submission))
    sequence += 1
    previous = submissionId(submission.header)
    return acknowledgement
  }

  async function lease(max = 256, waitMs = 0): Promise<LeasedJob[]> {
    return leaseAnswer.parse(await call('/v1/leases', { max, waitMs })).jobs
  }

  async function auditLeases(): Promise<AuditLease[]> {
    return auditAnswer.parse(await call('/v1/audits/leases', { max: 256, waitMs: 0 })).audits
  }

  function commitTo(leases: readonly AuditLease[], compute: Compute) {
    const answers = leases.map(({ receipt, round, inputs }) => {
      const outputs = compute(inputs)
      const salt = randomBytes(32)
      const outputDigest = sha256(outputs ?? new Uint8Array())
      const commitment = {
        commitment: auditCommitment({ auditor: key, receipt, salt, outputDigest }),
        receipt,
        round,
      }
      return { commitment, reveal: { outputs, receipt, round, salt } }
    })
    const commitments = answers.map(({ commitment }) => commitment)
    return {
      commitments: { commitments, signature: signCommitments(commitments, site.origin, secretKey) },
      reveals: { reveals: answers.map(({ reveal }) => reveal) },
    }
  }

  return {
    key,
    hex,
    address,
    addressKey,
    secretKey,
    authorization,
    post,
    call,
    answer,
    answerWith,
    draft,
    submit,
    lease,
    auditLeases,
    commitTo,

    register: () => call('/v1/workers', signRegistration(address, site.origin, secretKey)),

    /** Answers handed in, not yet submitted. */
    async hold(jobs: readonly LeasedJob[], compute?: Compute): Promise<Work[]> {
      const works = jobs.map((job, index) => answer(job, index, compute))
      await call('/v1/results', { results: works })
      return works
    },

    /** From lease to acknowledgement; null when there was nothing to do. */
    async work(compute?: Compute, max?: number) {
      const works = await this.hold(await lease(max), compute)
      if (works.length === 0) return null
      return { works, acknowledgement: await submit(draft(works.map(({ receipt }) => receipt))) }
    },

    /** Everything that waits for this auditor, from lease to verdict. */
    async audit(compute: Compute = tinyOutput) {
      const leases = await auditLeases()
      if (leases.length === 0) return []
      const { commitments, reveals } = commitTo(leases, compute)
      await call('/v1/audits/commitments', commitments)
      return verdictAnswer.parse(await call('/v1/audits/reveals', reveals)).verdicts
    },
  }
}

export function idOf({ receipt }: Work): string {
  return Buffer.from(receiptId(receipt)).toString('hex')
}

/** The works of a peer that must have had some. */
export async function worksOf(working: ReturnType<Peer['work']>): Promise<Work[]> {
  const worked = await working
  if (worked === null) throw new Error('no item was assigned to this worker')
  return worked.works
}

/** A 2xx answer's body, as its content type says. */
async function accepted(response: Response): Promise<unknown> {
  const body = new Uint8Array(await response.arrayBuffer())
  const text = () => Buffer.from(body).toString('utf8')
  if (!response.ok) throw new Error(`${response.url}: ${response.status} ${text()}`)
  return response.headers.get('content-type')?.startsWith('application/cbor')
    ? decodeCbor(body, { maxBytes: MAX_ANSWER_BYTES })
    : JSON.parse(text())
}

/** RFC 9457, as every refusal must be. */
export async function problemIn(response: Response) {
  if (response.headers.get('content-type') !== 'application/problem+json; charset=utf-8') {
    throw new Error(`${response.status} ${response.headers.get('content-type')}: ${await response.text()}`)
  }
  const body = problem.parse(await response.json())
  if (body.status !== response.status) throw new Error(`${body.status} came as ${response.status}`)
  return body
}
