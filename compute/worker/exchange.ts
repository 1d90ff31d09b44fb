import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { encodeCbor } from '../work/canonical-cbor.ts'
import { MAX_SESSION_MS, openRequestSession, type RequestSession } from '../work/request-signature.ts'
import { CoordinatorError, readProblem } from './coordinator-error.ts'

/** Leases carry input bundles; the coordinator's own limit on bodies. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024
/** A full body on a slow line (64 MiB at 8 Mbit/s take 67 s). */
const CALL_TIMEOUT_MS = 120_000
/** A model of 2 GiB on a slow line (5 Mbit/s). */
const STREAM_TIMEOUT_MS = 3_600_000
/** A slow line, or a machine that slept between signing and sending, is late now and then; a wrong clock always. */
const MAX_EXPIRED = 3
/** Long before it ends, whatever the two clocks say. */
const MIN_SESSION_LEFT_MS = MAX_SESSION_MS / 2
const FIRST_DELAY_MS = 100
const MAX_DELAY_MS = 30_000
/** An outage that nobody has ended within a day needs a person; what is unsent stays on disk. */
const GIVE_UP_AFTER_MS = 24 * 3_600_000

export interface Exchange {
  get(path: string, options?: CallOptions): Promise<Uint8Array>
  /** Sends `body` as CBOR, signed anew at each attempt. */
  post(path: string, body: unknown, options?: CallOptions): Promise<Uint8Array>
  /** One attempt from byte `start` on; the caller reads the body, which begins at `from`: `start`, or 0 where the server knows no ranges. */
  stream(path: string, start: number): Promise<{ body: ReadableStream<Uint8Array>; from: number }>
}

interface CallOptions {
  /** Gives up this call alone; throws its reason. */
  signal?: AbortSignal
  /** Time that the server is asked to take, on top of the usual limit. */
  waitMs?: number
}

/** HTTP with the coordinator: requests are signed by a session of the worker's, bounded in time and size, and repeated while that may help. */
export function openExchange(o: {
  url: string
  /** Posts are signed by this key for this log; null for what only reads. */
  signer: { readonly origin: string; readonly secretKey: Uint8Array } | null
  /** Ends every call, and the waits between attempts. */
  signal: AbortSignal
  onRetry: (error: CoordinatorError) => void
}): Exchange {
  let session: RequestSession | null = null

  async function call(path: string, body: Uint8Array | null, options: CallOptions): Promise<Uint8Array> {
    const signal = AbortSignal.any([o.signal, ...(options.signal === undefined ? [] : [options.signal])])
    const giveUpAtMs = Date.now() + GIVE_UP_AFTER_MS
    let expired = 0
    for (let attempt = 0; ; attempt++) {
      try {
        const timeout = AbortSignal.timeout(CALL_TIMEOUT_MS + (options.waitMs ?? 0))
        return await readBody(await send(path, body, AbortSignal.any([signal, timeout])))
      } catch (cause) {
        signal.throwIfAborted()
        const error = toCoordinatorError(cause)
        // Each attempt is signed anew, and by another session where this one was too old.
        if (error.code === 'session_expired') session = null
        const maySignAgain =
          ['request_expired', 'session_expired'].includes(error.code) && ++expired <= MAX_EXPIRED
        if (!(error.isPassing || maySignAgain) || Date.now() > giveUpAtMs) throw error
        o.onRetry(error)
      }
      await sleep(delayMs(attempt), undefined, { signal }).catch(() => signal.throwIfAborted())
    }
  }

  async function send(
    path: string,
    body: Uint8Array | null,
    signal: AbortSignal,
    start = 0,
  ): Promise<Response> {
    const method = body === null ? 'GET' : 'POST'
    const range: Record<string, string> = start === 0 ? {} : { range: `bytes=${start}-` }
    const headers = body === null ? range : signedHeaders(method, path, body)
    const response = await fetch(new URL(path, o.url), { method, headers, body, signal, redirect: 'error' })
    if (!response.ok) throw readProblem(response.status, await readBody(response))
    return response
  }

  function signedHeaders(method: string, path: string, body: Uint8Array): Record<string, string> {
    assert(o.signer !== null, 'this exchange only reads')
    const { origin, secretKey } = o.signer
    const nowMs = Date.now()
    if (session === null || session.untilMs < nowMs + MIN_SESSION_LEFT_MS) {
      session = openRequestSession(origin, secretKey, nowMs + MAX_SESSION_MS)
    }
    const authorization = session.sign({ method, path, body }, nowMs)
    return { 'content-type': 'application/cbor', authorization }
  }

  return {
    get: (path, options = {}) => call(path, null, options),
    post: (path, body, options = {}) => call(path, encodeCbor(body), options),
    async stream(path, start) {
      const timeout = AbortSignal.timeout(STREAM_TIMEOUT_MS)
      const response = await send(path, null, AbortSignal.any([o.signal, timeout]), start)
      const { body, status, headers } = response
      if (body === null)
        throw new CoordinatorError({ code: 'answer_malformed', detail: `${path} has no body` })
      if (status !== 206) return { body, from: 0 }
      const range = headers.get('content-range') ?? ''
      if (range.startsWith(`bytes ${start}-`)) return { body, from: start }
      await body.cancel()
      throw new CoordinatorError({ code: 'answer_malformed', detail: `${path} came as ${range}` })
    },
  }
}

/** Exponential with full jitter, so that workers don't come back in step after an outage. */
function delayMs(attempt: number): number {
  return Math.random() * Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** attempt)
}

async function readBody(response: Response): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response.body ?? []) {
    size += chunk.length
    if (size > MAX_ANSWER_BYTES) {
      throw new CoordinatorError({ code: 'answer_too_large', detail: `more than ${MAX_ANSWER_BYTES} bytes` })
    }
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function toCoordinatorError(cause: unknown): CoordinatorError {
  if (cause instanceof CoordinatorError) return cause
  // fetch() hides what happened in the cause of its TypeError.
  const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause
  const detail = inner instanceof Error ? inner.message : String(inner)
  return new CoordinatorError({ code: 'unreachable', detail }, { cause })
}
