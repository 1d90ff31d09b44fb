import { Agent, type IncomingMessage, request } from 'node:http'
import { Agent as TlsAgent, request as tlsRequest } from 'node:https'

export interface HttpRequest {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly headers: Record<string, string>
  readonly body: Uint8Array | null
  readonly signal: AbortSignal
  /** From now to the answer's last byte. */
  readonly timeoutMs: number
}

/**
 * Resolves with the answer's head, its body to be read; no redirect is followed. Connections are kept. node:http and not fetch(),
 * which took a worker a millisecond of its processor more for each request (`npm run bench -- compute`, one client).
 */
export type HttpLine = (request: HttpRequest) => Promise<IncomingMessage>

export function openHttpLine(base: string): HttpLine {
  const isTls = new URL(base).protocol === 'https:'
  const agent = isTls ? new TlsAgent({ keepAlive: true }) : new Agent({ keepAlive: true })
  const begin = isTls ? tlsRequest : request
  return ({ method, path, headers, body, signal, timeoutMs }) =>
    new Promise((resolve, reject) => {
      const length: Record<string, number> = body === null ? {} : { 'content-length': body.length }
      const options = { agent, method, headers: { ...headers, ...length }, signal }
      const sent = begin(new URL(path, base), options, resolve)
      const timer = setTimeout(
        () => sent.destroy(new Error(`no whole answer within ${timeoutMs} ms`)),
        timeoutMs,
      )
      sent.on('error', reject)
      sent.once('close', () => clearTimeout(timer))
      if (body === null) sent.end()
      else sent.end(body)
    })
}
