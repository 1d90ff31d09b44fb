import assert from 'node:assert/strict'
import { Agent, type IncomingMessage, request } from 'node:http'
import { RpcError, type RpcSent } from './rpc-error.ts'

/** bitcoind serves 16 calls at a time by default (-rpcthreads, -rpcworkqueue): leave room for its other users. */
const MAX_SOCKETS = 8
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

export interface RpcTransport {
  /** One POST. Resolves with any HTTP answer, redirects included; throws RpcError where none came. */
  post(path: string, authorization: string | null, body: string): Promise<HttpReply>
  close(): void
}

/** HTTP to one bitcoind over a small keep-alive pool; `timeoutMs` bounds a call from queueing to its last byte. */
export function createRpcTransport(url: URL, timeoutMs: number): RpcTransport {
  assert(url.protocol === 'http:', `bitcoind's RPC is plain http, got ${url.protocol}`)
  const agent = new Agent({ keepAlive: true, maxSockets: MAX_SOCKETS, timeout: IDLE_SOCKET_MS })
  const pending = new Set<() => void>()
  let closed = false

  async function post(path: string, authorization: string | null, body: string): Promise<HttpReply> {
    if (closed) throw new RpcError('rpc_unreachable', 'RPC connection is closed', { sent: 'no' })
    if (pending.size >= MAX_PENDING_CALLS) {
      throw new RpcError('rpc_unreachable', `${MAX_PENDING_CALLS} RPC calls already wait`, { sent: 'no' })
    }
    const { promise, resolve, reject } = Promise.withResolvers<HttpReply>()
    let sent: RpcSent = 'no'
    const call = request(new URL(path, url), {
      method: 'POST',
      agent,
      headers: {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
        ...(authorization === null ? {} : { authorization }),
      },
    })
    const fail = (error: RpcError) => {
      reject(error)
      call.destroy()
    }
    const timer = setTimeout(() => {
      fail(new RpcError('rpc_timeout', `bitcoind gave no answer in ${timeoutMs} ms`, { sent }))
    }, timeoutMs)
    const cancel = () => fail(new RpcError('rpc_unreachable', 'RPC connection closed', { sent }))
    pending.add(cancel)

    call.on('socket', (socket) => {
      if (socket.connecting) socket.once('connect', () => (sent = 'unknown'))
      else sent = 'unknown'
    })
    call.on('error', (cause) => {
      reject(new RpcError('rpc_unreachable', `bitcoind at ${url.host}: ${cause.message}`, { sent, cause }))
    })
    call.on('response', (response) => {
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
    })
    call.end(body)
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
      agent.destroy()
    },
  }
}
