import { setTimeout } from 'node:timers/promises'

/** A reconciliation may walk every coin of the treasury; but for a model's work nothing else that is asked takes longer. */
const TIMEOUT_MS = 60_000

/** Who asks too often is told to wait until the minute is over; twice as long, and it isn't that. */
const MAX_WAIT_MS = 120_000

/** Of a running coordinator, and its operator's token. */
export interface Operator {
  readonly url: string
  readonly token: string
}

/** A coordinator refused, or doesn't answer (`coordinator_unreachable`, status null). `code` is the coordinator's own. */
export class ClientError extends Error {
  override readonly name = 'ClientError'
  readonly code: string
  readonly status: number | null

  constructor(code: string, status: number | null, message: string, cause?: unknown) {
    super(message, { cause })
    this.code = code
    this.status = status
  }
}

/** Asks a running coordinator, and waits where it is asked too often; an answer that isn't 2xx throws ClientError. */
export async function askCoordinator(
  url: string,
  path: string,
  options: {
    method?: 'GET' | 'POST' | 'DELETE'
    token?: string
    body?: Uint8Array
    timeoutMs?: number
  } = {},
): Promise<Response> {
  const { method = 'GET', token, body, timeoutMs = TIMEOUT_MS } = options
  const ask = () =>
    reach(url, path, {
      method,
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(timeoutMs),
      ...(body === undefined ? {} : { body: new Uint8Array(body) }),
    })
  let response = await ask()
  for (let waitedMs = 0; response.status === 429 && waitedMs < MAX_WAIT_MS; ) {
    const waitMs = retryAfterMs(response)
    if (waitMs === null) break
    await setTimeout(waitMs)
    waitedMs += waitMs
    response = await ask()
  }
  if (response.ok) return response
  const { code, detail } = problemIn(await response.text(), response)
  throw new ClientError(code, response.status, detail)
}

/** RFC 9110 §10.2.3, in seconds; null where it doesn't say when. */
function retryAfterMs({ headers }: Response): number | null {
  const seconds = headers.get('retry-after')
  return seconds !== null && /^\d{1,2}$/.test(seconds) ? Math.max(Number(seconds), 1) * 1000 : null
}

async function reach(url: string, path: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(new URL(path, url), init)
  } catch (cause) {
    throw new ClientError(
      'coordinator_unreachable',
      null,
      `no coordinator answers at ${url}: is \`assay up\` running there?`,
      cause,
    )
  }
}

/** RFC 9457's problem or OIP's error object; a proxy's page still gives status and reason. */
function problemIn(body: string, { status, statusText }: Response): { code: string; detail: string } {
  try {
    const { code, error, detail = error } = Object(JSON.parse(body))
    if (typeof code === 'string' && typeof detail === 'string') return { code, detail }
  } catch {
    // No JSON: what the status line says is all there is.
  }
  return { code: `http_${status}`, detail: statusText }
}
