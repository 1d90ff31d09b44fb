import assert from 'node:assert/strict'
import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http'
import type { Socket } from 'node:net'
import { RpcError, type RpcSent } from './rpc-error.ts'

/** bitcoind serves 16 calls at a time by default (-rpcthreads, -rpcworkqueue): leave room for its other users. */
const MAX_SOCKETS = 8
/** Beside those, for calls that get a connection of their own: few, and rare. */
const MAX_FRESH_SOCKETS = 4
/** Calls waiting for a socket; far above what one process asks for at once. */
const MAX_PENDING_CALLS = 1024
/** bitcoind closes a connection idle for 30 s (-rpcservertimeout). Closing first avoids a call on a dying socket. */
const IDLE_SOCKET_MS = 15_000
/** The largest block, 4 MB, is 8 MB of hex, and a few times that with its transactions decoded (verbosity 2). */
const MAX_RESPONSE_BYTES = 64 * 1024 * 1024

export interface HttpReply {
  readonly statusCode: number
  readonly statusMessage: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

export interface RpcPost {
  readonly path: string
  readonly authorization: string
  readonly body: string
  /**
   * The node may hear it twice. Such a call goes over a kept connection, and once more over a fresh one where that one
   * turns out to be dropped before a byte of an answer came (RFC 9112 §9.3.1). Any other has a fresh one at once.
   */
  readonly repeatable: boolean
  /** From queueing to the answer's last byte. */
  readonly timeoutMs: number
}

export interface RpcTransport {
  /** Resolves with any HTTP answer, redirects included; throws RpcError where none came. */
  post(call: RpcPost): Promise<HttpReply>
  close(): void
}

/** HTTP to one bitcoind over a small keep-alive pool. */
export function createRpcTransport(url: URL): RpcTransport {
  assert(url.protocol === 'http:', `bitcoind's RPC is plain http, got ${url.protocol}`)
  const kept = new Agent({ keepAlive: true, maxSockets: MAX_SOCKETS, timeout: IDLE_SOCKET_MS })
  const fresh = new Agent({ keepAlive: false, maxSockets: MAX_FRESH_SOCKETS })
  const pending = new Set<() => void>()
  let closed = false

  async function post({ path, authorization, body, repeatable, timeoutMs }: RpcPost): Promise<HttpReply> {
    if (closed) throw new RpcError('rpc_unreachable', 'RPC connection is closed', { sent: 'no' })
    if (pending.size >= MAX_PENDING_CALLS) {
      throw new RpcError('rpc_unreachable', `${MAX_PENDING_CALLS} RPC calls already wait`, { sent: 'no' })
    }
    const { promise, resolve, reject } = Promise.withResolvers<HttpReply>()
    let sent: RpcSent = 'no'
    let failed = false
    let call = send(repeatable ? kept : fresh)

    function send(agent: Agent): ClientRequest {
      const attempt = request(new URL(path, url), {
        method: 'POST',
        agent,
        headers: {
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
          authorization,
        },
      })
      let socket: Socket | null = null
      let readBefore = 0
      attempt.on('socket', (given) => {
        socket = given
        readBefore = given.bytesRead
        if (given.connecting) given.once('connect', () => (sent = 'unknown'))
        else sent = 'unknown'
      })
      attempt.on('error', (cause) => {
        const wasDropped = attempt.reusedSocket && socket?.bytesRead === readBefore
        if (wasDropped && !failed) call = send(fresh)
        else
          fail(new RpcError('rpc_unreachable', `bitcoind at ${url.host}: ${cause.message}`, { sent, cause }))
      })
      attempt.on('response', read)
      attempt.end(body)
      return attempt
    }

    function read(response: IncomingMessage): void {
      const chunks: Buffer[] = []
      let bytes = 0
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length
        if (bytes <= MAX_RESPONSE_BYTES) chunks.push(chunk)
        else fail(new RpcError('rpc_malformed', `answer above ${MAX_RESPONSE_BYTES} bytes`, { sent }))
      })
      response.on('error', (cause) => {
        fail(new RpcError('rpc_unreachable', `bitcoind broke off: ${cause.message}`, { sent, cause }))
      })
      response.on('end', () => {
        const { statusCode = 0, statusMessage = '', headers } = response
        resolve({ statusCode, statusMessage, headers, body: Buffer.concat(chunks).toString('utf8') })
      })
    }

    function fail(error: RpcError): void {
      failed = true
      reject(error)
      call.destroy()
    }

    const timer = setTimeout(() => {
      fail(new RpcError('rpc_timeout', `bitcoind gave no answer in ${timeoutMs} ms`, { sent }))
    }, timeoutMs)
    const cancel = () => fail(new RpcError('rpc_unreachable', 'RPC connection closed', { sent }))
    pending.add(cancel)
    return promise.finally(() => {
      clearTimeout(timer)
      pending.delete(cancel)
    })
  }

  return {
    post,
    close() {
      closed = true
      for (const cancel of pending) cancel()
      kept.destroy()
      fresh.destroy()
    },
  }
}
