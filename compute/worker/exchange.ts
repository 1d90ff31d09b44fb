import assert from 'node:assert/strict'
import type { IncomingMessage } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { encodeCbor } from '../work/canonical-cbor.ts'
import { MAX_SESSION_MS, openRequestSession, type RequestSession } from '../work/request-signature.ts'
import { CoordinatorError, readProblem } from './coordinator-error.ts'
import { openHttpLine } from './http-line.ts'

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
  stream(path: string, start: number): Promise<{ body: AsyncIterable<Uint8Array>; from: number }>
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
  const line = openHttpLine(o.url)

  async function call(path: string, body: Uint8Array | null, options: CallOptions): Promise<Uint8Array> {
    const signal = options.signal === undefined ? o.signal : AbortSignal.any([o.signal, options.signal])
    const timeoutMs = CALL_TIMEOUT_MS + (options.waitMs ?? 0)
    const giveUpAtMs = Date.now() + GIVE_UP_AFTER_MS
    let expired = 0
    for (let attempt = 0; ; attempt++) {
      try {
        return await readBody(await send(path, body, { signal, timeoutMs }))
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
    limits: { signal: AbortSignal; timeoutMs: number; start?: number },
  ): Promise<IncomingMessage> {
    const { signal, timeoutMs, start = 0 } = limits
    const method = body === null ? 'GET' : 'POST'
    const range: Record<string, string> = start === 0 ? {} : { range: `bytes=${start}-` }
    const headers = body === null ? range : signedHeaders(method, path, body)
    const response = await line({ method, path, headers, body, signal, timeoutMs })
    const { statusCode: status = 0 } = response
    if (200 <= status && status < 300) return response
    const answer = await readBody(response)
    // Followed, it could lead a signed request elsewhere; whoever put it there may take it away.
    if (status < 400)
      throw new CoordinatorError({ code: 'unreachable', detail: `${path} answers with a redirect` })
    throw readProblem(status, answer)
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
      const body = await send(path, null, { signal: o.signal, timeoutMs: STREAM_TIMEOUT_MS, start })
      if (body.statusCode !== 206) return { body, from: 0 }
      const range = body.headers['content-range'] ?? ''
      if (range.startsWith(`bytes ${start}-`)) return { body, from: start }
      body.destroy()
      throw new CoordinatorError({ code: 'answer_malformed', detail: `${path} came as ${range}` })
    },
  }
}

/** Exponential with full jitter, so that workers don't come back in step after an outage. */
function delayMs(attempt: number): number {
  return Math.random() * Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** attempt)
}

function readBody(response: IncomingMessage): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = []
    let size = 0
    response.on('data', (chunk: Uint8Array) => {
      size += chunk.length
      chunks.push(chunk)
      if (size <= MAX_ANSWER_BYTES) return
      response.destroy(
        new CoordinatorError({ code: 'answer_too_large', detail: `more than ${MAX_ANSWER_BYTES} bytes` }),
      )
    })
    response.once('end', () => resolve(Buffer.concat(chunks)))
    response.once('error', reject)
  })
}

function toCoordinatorError(cause: unknown): CoordinatorError {
  if (cause instanceof CoordinatorError) return cause
  const detail = cause instanceof Error ? cause.message : String(cause)
  return new CoordinatorError({ code: 'unreachable', detail }, { cause })
}
