import { setTimeout as pause } from 'node:timers/promises'
import { z } from 'zod'
import { hex } from '../../compute/work/hex.ts'
import { parseReceipt } from '../../compute/work/receipt.ts'
import { ClientError } from '../client/ask-coordinator.ts'
import { MonitorError } from '../monitor/monitor-error.ts'
import { readBounded } from '../monitor/read-bounded.ts'
import { HEADER_LENGTH } from '../oip/split-body.ts'
import { parseProof } from '../proof/proof.ts'
import type { ProofReport } from '../proof/proof-report.ts'
import { type ProofReader, verifyProof } from '../proof/verify-proof.ts'
import { checkCommitments } from './check-commitments.ts'
import { digestOf } from './client-tensor.ts'
import { encodeRequest, type Inference, type InferenceRequest, parseAnswer } from './infer-message.ts'

/** Proofs come with blocks, of which there is one in ten minutes. */
const PROOF_POLL_MS = 10_000

/** A bundle of outputs ends at 64 MiB; its head takes little. */
const MAX_ANSWER_BYTES = 65 * 1024 * 1024

/** Not yet in the log, or not yet under an anchor: both pass, unless the worker never submits the receipt. */
const NOT_YET = ['receipt_unknown', 'receipt_not_anchored']

export interface ClientOptions {
  /** Of the coordinator, as `http://127.0.0.1:8380`. */
  readonly url: string
  /** Of the requester's account; models that cost nothing need none. */
  readonly apiKey?: string
}

const tensor = z.object({
  name: z.string(),
  datatype: z.string(),
  /** −1: a free dimension. */
  shape: z.array(z.int()),
})
const metadata = z.object({
  name: z.string(),
  versions: z.array(z.string()),
  inputs: z.array(tensor),
  outputs: z.array(tensor),
})
const refusal = z.object({
  code: z.string().optional(),
  error: z.string().optional(),
  detail: z.string().optional(),
})

/** What the requester knows by itself. */
export interface InferenceReader extends ProofReader {
  /** SHA-256 of the model's file that should have run. */
  readonly modelDigest?: Uint8Array
}

export type ModelMetadata = z.infer<typeof metadata>

/**
 * A requester's side of a coordinator. All throw ClientError with the coordinator's code, `unreachable` or
 * `answer_malformed`, and what `signal` was aborted for.
 */
export interface InferenceClient {
  /** Whether requests are taken now, of `model` where one is named. */
  isReady(model?: string, signal?: AbortSignal): Promise<boolean>
  metadata(model: string, signal?: AbortSignal): Promise<ModelMetadata>
  /**
   * When `signal` aborts, what no worker has begun is not begun. Throws ClientError `tensor_malformed` too, and
   * `answer_malformed` for texts that are not UTF-8.
   */
  infer(model: string, request: InferenceRequest, signal?: AbortSignal): Promise<Inference>
  /**
   * Waits until an anchor covers the receipt: some blocks; for ever where its worker never submits it, as after a power
   * cut: give a `signal`.
   */
  proof(receiptId: string, signal?: AbortSignal): Promise<Uint8Array>
  /**
   * The same, checked, and that the receipt is of exactly the inputs that went and the outputs as they stand in
   * `inference`. A proof that doesn't hold is reported; one of something else throws ClientError: `proof_of_another`,
   * `job_not_committed`, `inputs_not_committed`, `model_not_committed`, `outputs_not_committed`, or `outputs_incomplete`
   * where outputs were named that need not be all of the model's.
   */
  verifiedProof(inference: Inference, reader: InferenceReader, signal?: AbortSignal): Promise<ProofReport>
}

export function openClient({ url, apiKey }: ClientOptions): InferenceClient {
  const authorization = apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }

  async function ask(path: string, init: RequestInit): Promise<{ response: Response; body: Uint8Array }> {
    try {
      const headers = { ...authorization, ...init.headers }
      const response = await fetch(new URL(path, url), { ...init, headers })
      return { response, body: await readBounded(response, MAX_ANSWER_BYTES) }
    } catch (cause) {
      init.signal?.throwIfAborted()
      if (cause instanceof MonitorError) throw new ClientError('answer_malformed', null, cause.message, cause)
      throw new ClientError('unreachable', null, `no answer comes from ${url}`, cause)
    }
  }

  async function accepted(path: string, init: RequestInit) {
    const answer = await ask(path, init)
    if (answer.response.ok) return answer
    const { status } = answer.response
    const { code, error, detail } = refusalIn(answer.body)
    throw new ClientError(code ?? `http_${status}`, status, error ?? detail ?? `${path} is refused`)
  }

  async function proof(receiptId: string, signal?: AbortSignal): Promise<Uint8Array> {
    for (;;) {
      try {
        const path = `/v1/receipts/${encodeURIComponent(receiptId)}/proof`
        return (await accepted(path, { signal: signal ?? null })).body
      } catch (error) {
        if (!(error instanceof ClientError && NOT_YET.includes(error.code))) throw error
      }
      // An abort while it waits is told as fetch tells it: by the reason itself.
      await pause(PROOF_POLL_MS, undefined, { signal }).catch(() => signal?.throwIfAborted())
    }
  }

  return {
    async isReady(model, signal) {
      const path = model === undefined ? '/v2/health/ready' : `${modelPath(model)}/ready`
      return (await ask(path, { signal: signal ?? null })).response.ok
    },

    async metadata(model, signal) {
      const { body } = await accepted(modelPath(model), { signal: signal ?? null })
      const { success, data } = metadata.safeParse(jsonIn(body))
      if (!success) throw new ClientError('answer_malformed', null, `what describes ${model} is malformed`)
      return data
    },

    async infer(model, request, signal) {
      const { jsonBytes, body: sent } = encodeRequest(request)
      const inputDigest = hex(digestOf(request.inputs))
      const { response, body } = await accepted(`${modelPath(model)}/infer`, {
        method: 'POST',
        headers: { [HEADER_LENGTH]: `${jsonBytes}`, 'content-type': 'application/octet-stream' },
        body: sent,
        signal: signal ?? null,
      })
      const answer = parseAnswer(Number(response.headers.get(HEADER_LENGTH) ?? body.length), body)
      return { ...answer, inputDigest, hasNamedOutputs: request.outputs !== undefined }
    },

    proof,

    async verifiedProof(inference, reader, signal) {
      const { receiptId } = inference
      const bytes = await proof(receiptId, signal)
      const report = await verifyProof(bytes, reader)
      if (report.receiptId !== null && report.receiptId !== receiptId) {
        throw new ClientError('proof_of_another', null, `a proof of ${report.receiptId}, not of ${receiptId}`)
      }
      // Null where no receipt can be read in it, as the report says.
      if (report.job !== null) {
        checkCommitments(inference, parseReceipt(parseProof(bytes).receipt), reader.modelDigest)
      }
      return report
    },
  }
}

function modelPath(model: string): string {
  return `/v2/models/${encodeURIComponent(model)}`
}

/** OIP's error object, or RFC 9457's; a proxy's page has neither. */
function refusalIn(body: Uint8Array): z.infer<typeof refusal> {
  return refusal.safeParse(jsonIn(body)).data ?? {}
}

function jsonIn(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body).toString('utf8'))
  } catch {
    return null
  }
}
