import { randomBytes } from 'node:crypto'
import { EventEmitter, once } from 'node:events'
import { z } from 'zod'
import { auditCommitment, checkCommitmentsSignature } from '../../../compute/work/audit-commitment.ts'
import { decodeCbor, encodeCbor } from '../../../compute/work/canonical-cbor.ts'
import { encodeJob, inputCommitment, jobId } from '../../../compute/work/job.ts'
import type { ModelProfile } from '../../../compute/work/model-profile.ts'
import {
  type ExecutionProfile,
  outputCommitment,
  parseReceipt,
  receiptId,
} from '../../../compute/work/receipt.ts'
import { receiptLeaf } from '../../../compute/work/receipt-path.ts'
import { treeRoot } from '../../../compute/work/receipt-tree.ts'
import { anyBytes, bytes32, bytesOf, integer } from '../../../compute/work/record.ts'
import { checkGrant, checkRequest, parseRequestSignature } from '../../../compute/work/request-signature.ts'
import { checkSubmissionSignature, parseHeader, submissionId } from '../../../compute/work/submission.ts'
import { sha256 } from '../../../compute/work/tagged-hash.ts'
import { bundleDigest } from '../../../compute/work/tensor-bundle.ts'
import { checkRegistration } from '../../../compute/work/worker-registration.ts'
import { toHex } from '../work/read-vector.ts'
import { type HttpPeer, startHttpPeer } from './http-peer.ts'

export const PEER_ORIGIN = 'peer.example/log'
export const PEER_LOG_KEY = `${PEER_ORIGIN}+key`

export const CPU_PROFILE: Omit<ExecutionProfile, 'batch'> = {
  device: 'x86-64-v3',
  optimization: 'disabled',
  ort: '1.30.0',
  precision: 'fp32',
  provider: 'cpu',
  threads: 1,
}

export class Problem extends Error {
  readonly status: number
  readonly code: string
  readonly extensions: object

  constructor(status: number, code: string, extensions: object = {}) {
    super(code)
    this.status = status
    this.code = code
    this.extensions = extensions
  }
}

interface PeerJob {
  id: string
  bytes: Uint8Array
  salt: Uint8Array
  inputs: Uint8Array
  state: 'open' | 'leased' | 'answered' | 'submitted' | 'failed'
  receipt: string
  outputs: Uint8Array
}

interface PeerAudit {
  job: PeerJob
  receipt: Uint8Array
  commitment: Uint8Array | null
  outputs: Uint8Array | null
  state: 'drawn' | 'committed' | 'revealed' | 'closed'
}

/** Where a test steps in: before a request is handled, or after, when the answer is not sent yet. */
export type Intercept = (path: string, when: 'before' | 'after', body: Uint8Array) => void | Promise<void>

const leases = z.strictObject({ max: integer, waitMs: integer })
const results = z.strictObject({
  results: z.array(z.strictObject({ outputs: anyBytes, receipt: anyBytes, salt: bytes32 })).min(1),
})
const failures = z.strictObject({ failures: z.array(z.strictObject({ job: bytes32, reason: z.string() })) })
const submission = z.strictObject({ header: anyBytes, receipts: z.array(anyBytes), signature: bytesOf(64) })
const registration = z.strictObject({
  address: z.string(),
  signature: bytesOf(64),
  thresholdSats: z.int().transform(BigInt),
  worker: bytes32,
})
const commitments = z.strictObject({
  commitments: z.array(z.strictObject({ commitment: bytes32, receipt: bytes32, round: integer })).min(1),
  signature: bytesOf(64),
})
const reveals = z.strictObject({
  reveals: z.array(
    z.strictObject({ outputs: anyBytes.nullable(), receipt: bytes32, round: integer, salt: bytes32 }),
  ),
})

/** The other side of the workers' HTTP contract, in memory and with every check, for one worker. */
export async function startPeerCoordinator() {
  const changes = new EventEmitter()
  const jobs = new Map<string, PeerJob>()
  const audits: PeerAudit[] = []
  const blobs = new Map<string, Uint8Array>()
  const models: { digest: string; bytes: number; profile: ModelProfile }[] = []
  const submissions: { header: Uint8Array; receipts: Uint8Array[] }[] = []
  const failed: { job: string; reason: string }[] = []
  const nonces = new Set<string>()
  const requests: { path: string; body: Uint8Array }[] = []
  const chain = { nextSequence: 0, previous: new Uint8Array(32) as Uint8Array }
  const state = {
    intercept: (() => {}) as Intercept,
    lateMs: 60_000,
    refusedJobs: new Set<string>(),
    idleReasons: [] as string[],
  }

  function addJob(inputs: Uint8Array, model: Uint8Array = new Uint8Array(32)): PeerJob {
    const salt = randomBytes(32)
    const bytes = encodeJob({
      v: 1,
      subnet: 'digits',
      model,
      input: inputCommitment(salt, bundleDigest(inputs)),
      origin: new Uint8Array(32),
      items: 1,
      deadline: Date.now() + state.lateMs,
      nonce: randomBytes(16),
    })
    const id = toHex(jobId(bytes))
    const job: PeerJob = { id, bytes, salt, inputs, state: 'open', receipt: '', outputs: new Uint8Array() }
    jobs.set(id, job)
    changes.emit('change')
    return job
  }

  function drawAudit(job: PeerJob): PeerAudit {
    const audit: PeerAudit = {
      job,
      receipt: Buffer.from(job.receipt, 'hex'),
      commitment: null,
      outputs: null,
      state: 'drawn',
    }
    audits.push(audit)
    changes.emit('change')
    return audit
  }

  async function poll<T>(waitMs: number, take: () => T[]): Promise<T[]> {
    const signal = AbortSignal.timeout(waitMs + 1)
    for (let taken = take(); ; taken = take()) {
      if (taken.length > 0 || signal.aborted) return taken
      await once(changes, 'change', { signal }).catch(() => {})
    }
  }

  function acceptResults(body: Uint8Array) {
    const refused: { receipt: string; code: string; detail: string }[] = []
    const all = read(results, body).results
    for (const { receipt: bytes, outputs, salt } of all) {
      const receipt = parseReceipt(bytes)
      const job = jobs.get(toHex(receipt.job))
      const fits = toHex(outputCommitment(salt, bundleDigest(outputs))) === toHex(receipt.output)
      if (job === undefined || job.state === 'submitted' || !fits || state.refusedJobs.has(job.id)) {
        refused.push({ receipt: toHex(receiptId(bytes)), code: 'job_unknown', detail: 'no such job' })
      } else Object.assign(job, { state: 'answered', receipt: toHex(receiptId(bytes)), outputs })
    }
    return { accepted: all.length - refused.length, refused }
  }

  function acknowledge(header: Uint8Array): Uint8Array {
    const index = submissions.findIndex((known) => toHex(known.header) === toHex(header))
    const entry = encodeCbor({ v: 1, kind: 'submission', header })
    return encodeCbor({ checkpoint: 'note', entry, index: index + 100, path: [sha256(entry)] })
  }

  function acceptSubmission(body: Uint8Array): Uint8Array {
    const { header: bytes, receipts, signature } = read(submission, body)
    const header = parseHeader(bytes)
    if (!checkSubmissionSignature(bytes, PEER_ORIGIN, signature)) throw new Problem(400, 'signature_invalid')
    if (submissions.some((known) => toHex(known.header) === toHex(bytes))) {
      const acknowledgement = Buffer.from(acknowledge(bytes)).toString('base64')
      throw new Problem(409, 'submission_duplicate', { acknowledgement })
    }
    if (header.sequence !== chain.nextSequence || toHex(header.previous) !== toHex(chain.previous)) {
      const previous = toHex(chain.previous)
      throw new Problem(409, 'sequence_mismatch', { nextSequence: chain.nextSequence, previous })
    }
    const root = treeRoot(receipts.map((receipt) => receiptLeaf(receiptId(receipt))))
    if (header.count !== receipts.length || toHex(root) !== toHex(header.root)) {
      throw new Problem(400, 'root_mismatch')
    }
    const answered = receipts.map((receipt, position) => {
      const { job, index } = parseReceipt(receipt)
      const known = jobs.get(toHex(job))
      if (index !== position) throw new Problem(400, 'index_mismatch')
      if (known === undefined) throw new Problem(404, 'job_unknown')
      if (known.state === 'submitted') throw new Problem(409, 'job_already_submitted')
      return { known, id: toHex(receiptId(receipt)) }
    })
    const missing = answered.filter(({ known, id }) => known.receipt !== id).map(({ id }) => id)
    if (missing.length > 0) throw new Problem(409, 'outputs_missing', { receipts: missing })
    for (const { known } of answered) known.state = 'submitted'
    submissions.push({ header: bytes, receipts })
    Object.assign(chain, { nextSequence: header.sequence + 1, previous: submissionId(bytes) })
    return acknowledge(bytes)
  }

  function commit(key: Uint8Array, body: Uint8Array): { index: number } {
    const signed = { auditor: key, ...read(commitments, body) }
    if (!checkCommitmentsSignature(signed, PEER_ORIGIN)) throw new Problem(400, 'signature_invalid')
    const committed = signed.commitments.map(({ commitment, receipt }) => {
      const audit = audits.find((one) => toHex(one.receipt) === toHex(receipt) && one.state === 'drawn')
      if (audit === undefined) throw new Problem(409, 'audit_not_open')
      return { audit, commitment }
    })
    for (const { audit, commitment } of committed) Object.assign(audit, { commitment, state: 'committed' })
    return { index: 7 }
  }

  function reveal(key: Uint8Array, body: Uint8Array) {
    const verdicts = read(reveals, body).reveals.map(({ outputs, receipt, salt }) => {
      const audit = audits.find((one) => toHex(one.receipt) === toHex(receipt) && one.state === 'committed')
      if (audit?.commitment == null) throw new Problem(409, 'audit_not_open')
      const outputDigest = sha256(outputs ?? new Uint8Array())
      const expected = auditCommitment({ auditor: key, receipt, salt, outputDigest })
      if (toHex(expected) !== toHex(audit.commitment)) throw new Problem(400, 'commitment_mismatch')
      Object.assign(audit, { outputs, state: 'revealed' })
      const same = outputs !== null && toHex(outputs) === toHex(audit.job.outputs)
      return { receipt: toHex(receipt), verdict: outputs === null ? 'inconclusive' : same ? 'pass' : 'fail' }
    })
    return { verdicts }
  }

  async function handle(method: string, path: string, key: Uint8Array, body: Uint8Array): Promise<unknown> {
    if (path === '/v1/info') {
      return { origin: PEER_ORIGIN, logKey: PEER_LOG_KEY, subnets: [{ name: 'digits', models }] }
    }
    if (path.startsWith('/blobs/')) {
      const blob = blobs.get(path.slice('/blobs/'.length))
      if (blob === undefined) throw new Problem(404, 'blob_unknown')
      return blob
    }
    if (method === 'GET') {
      return { worker: '', address: '', nextSequence: chain.nextSequence, previous: toHex(chain.previous) }
    }
    switch (path) {
      case '/v1/workers':
        if (!checkRegistration(read(registration, body), PEER_ORIGIN))
          throw new Problem(400, 'signature_invalid')
        return { index: 3 }
      case '/v1/leases': {
        const { max, waitMs } = read(leases, body)
        const reason = state.idleReasons.shift()
        if (reason !== undefined) return encodeCbor({ jobs: [], reason })
        const taken = await poll(waitMs, () =>
          [...jobs.values()].filter((job) => job.state === 'open').slice(0, max),
        )
        for (const job of taken) job.state = 'leased'
        return encodeCbor({
          jobs: taken.map(({ bytes, inputs, salt }) => ({ inputs, job: bytes, salt })),
          reason: null,
        })
      }
      case '/v1/results':
        return acceptResults(body)
      case '/v1/failures':
        for (const { job, reason } of read(failures, body).failures) {
          failed.push({ job: toHex(job), reason })
          Object.assign(jobs.get(toHex(job)) ?? {}, { state: 'failed' })
        }
        return { released: 1 }
      case '/v1/submissions':
        return acceptSubmission(body)
      case '/v1/audits/leases': {
        const { max, waitMs } = read(leases, body)
        const drawn = await poll(waitMs, () => audits.filter((one) => one.state === 'drawn').slice(0, max))
        return encodeCbor({
          audits: drawn.map(({ job, receipt }) => ({
            inputs: job.inputs,
            job: job.bytes,
            receipt,
            round: 0,
            salt: job.salt,
          })),
        })
      }
      case '/v1/audits/commitments':
        return commit(key, body)
      case '/v1/audits/reveals':
        return reveal(key, body)
      default:
        throw new Problem(404, 'not_found')
    }
  }

  function authenticate(path: string, authorization: string | undefined, body: Uint8Array): Uint8Array {
    const signed = parseRequestSignature(authorization ?? '')
    const nonce = toHex(signed.nonce)
    if (!checkGrant(PEER_ORIGIN, signed)) throw new Problem(401, 'signature_invalid')
    if (!checkRequest({ origin: PEER_ORIGIN, method: 'POST', path, body }, signed))
      throw new Problem(401, 'signature_invalid')
    if (nonces.has(nonce)) throw new Problem(401, 'request_replayed')
    nonces.add(nonce)
    return signed.key
  }

  const http: HttpPeer = await startHttpPeer(async (request, body, response) => {
    const { method = '', url: path = '' } = request
    try {
      const key =
        method === 'POST' ? authenticate(path, request.headers.authorization, body) : new Uint8Array(32)
      requests.push({ path, body })
      await state.intercept(path, 'before', body)
      const answer = await handle(method, path, key, body)
      await state.intercept(path, 'after', body)
      response.end(answer instanceof Uint8Array ? answer : JSON.stringify(answer))
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      const { status, code, extensions } = error
      response.writeHead(status, { 'content-type': 'application/problem+json' })
      response.end(
        JSON.stringify({ type: 'about:blank', title: code, status, code, detail: '', ...extensions }),
      )
    } finally {
      changes.emit('change')
    }
  })

  return {
    ...http,
    state,
    jobs,
    audits,
    blobs,
    models,
    submissions,
    failed,
    requests,
    chain,
    addJob,
    drawAudit,
    /** Jobs that the worker holds already. */
    grant(count: number): PeerJob[] {
      return Array.from({ length: count }, () =>
        Object.assign(addJob(new Uint8Array([0x80])), { state: 'leased' }),
      )
    },
    /** `executed`: exactly so; or a profile that says more. */
    addModel(file: Uint8Array, executed: typeof CPU_PROFILE | ModelProfile = CPU_PROFILE): Uint8Array {
      const digest = sha256(file)
      const profile = 'comparison' in executed ? executed : { comparison: 'exact' as const, ...executed }
      blobs.set(toHex(digest), file)
      models.push({ digest: toHex(digest), bytes: file.length, profile })
      return digest
    },
    async until(condition: () => boolean): Promise<void> {
      while (!condition()) await once(changes, 'change')
    },
  }
}

export type PeerCoordinator = Awaited<ReturnType<typeof startPeerCoordinator>>

function read<T>(schema: z.ZodType<T>, body: Uint8Array): T {
  const result = schema.safeParse(decodeCbor(body, { maxBytes: 64 * 1024 * 1024 }))
  if (!result.success) throw new Problem(400, 'body_malformed')
  return result.data
}
