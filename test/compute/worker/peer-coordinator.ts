import { randomBytes } from 'node:crypto'
import { EventEmitter, once } from 'node:events'
import { encodeCbor } from '../../../compute/work/canonical-cbor.ts'
import { encodeJob, inputCommitment, jobId } from '../../../compute/work/job.ts'
import type { ModelProfile } from '../../../compute/work/model-profile.ts'
import {
  type ExecutionProfile,
  outputCommitment,
  parseReceipt,
  receiptId,
} from '../../../compute/work/receipt.ts'
import { checkGrant, checkRequest, parseRequestSignature } from '../../../compute/work/request-signature.ts'
import { sha256 } from '../../../compute/work/tagged-hash.ts'
import { bundleDigest } from '../../../compute/work/tensor-bundle.ts'
import { checkRegistration } from '../../../compute/work/worker-registration.ts'
import { toHex } from '../work/read-vector.ts'
import { type HttpPeer, startHttpPeer } from './http-peer.ts'
import { createPeerAudits, type PeerAudit } from './peer-audits.ts'
import { failures, leases, Problem, read, registration, results } from './peer-body.ts'
import type { PeerJob } from './peer-job.ts'
import { createPeerLog, PEER_LOG_KEY, PEER_ORIGIN } from './peer-log.ts'

export const CPU_PROFILE: Omit<ExecutionProfile, 'batch'> = {
  device: 'x86-64-v3',
  optimization: 'disabled',
  ort: '1.30.0',
  precision: 'fp32',
  provider: 'cpu',
  threads: 1,
}

/** Where a test steps in: before a request is handled, or after, when the answer is not sent yet. */
export type Intercept = (path: string, when: 'before' | 'after', body: Uint8Array) => void | Promise<void>

/** The other side of the workers' HTTP contract, in memory and with every check, for one worker. */
export async function startPeerCoordinator() {
  const changes = new EventEmitter()
  const jobs = new Map<string, PeerJob>()
  const { audits, drawAudit, commit, reveal } = createPeerAudits()
  const blobs = new Map<string, Uint8Array>()
  const models: { digest: string; bytes: number; profile: ModelProfile }[] = []
  const { submissions, chain, acceptSubmission } = createPeerLog(jobs)
  const failed: { job: string; reason: string }[] = []
  const nonces = new Set<string>()
  let registered = ''
  const requests: { path: string; body: Uint8Array }[] = []
  const state = {
    intercept: (() => {}) as Intercept,
    lateMs: 60_000,
    refusedJobs: new Set<string>(),
    idleReasons: [] as string[],
    isAuditor: true,
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
    return { accepted: all.length - refused.length, answeredMs: Date.now(), refused }
  }

  async function handle(method: string, path: string, key: Uint8Array, body: Uint8Array): Promise<unknown> {
    if (path === '/v1/info') {
      return { origin: PEER_ORIGIN, logKey: PEER_LOG_KEY, subnets: [{ name: 'digits', models }] }
    }
    if (path === '/v1/auditors') return { auditors: state.isAuditor ? [{ auditor: registered }] : [] }
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
        registered = toHex(key)
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
    drawAudit(job: PeerJob): PeerAudit {
      const audit = drawAudit(job)
      changes.emit('change')
      return audit
    },
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
