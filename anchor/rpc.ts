import assert from 'node:assert/strict'
import Client from 'bitcoin-core'
import { basicAuthorization, readCookie } from './cookie.ts'
import { RpcError } from './rpc-error.ts'
import { createRpcTransport, type HttpReply, type RpcPost } from './rpc-transport.ts'

export { RpcError } from './rpc-error.ts'

/** Large blocks take seconds on a small machine; a node that needs more is stuck. */
const DEFAULT_TIMEOUT_MS = 30_000
/** `importdescriptors` reads years of blocks, for hours; whoever leaves it sooner never learns whether all could be read. */
const IMPORT_TIMEOUT_MS = 86_400_000
/** Bitcoin Core, rpc/protocol.h: answered before the call is looked at. */
const RPC_IN_WARMUP = -28
/** RPC_PARSE_ERROR and RPC_INTERNAL_ERROR; bitcoin-core also puts them in itself where an answer lacks a part. */
const UNCLEAR_RPC_CODES = [-32700, -32603]

/**
 * Calls that change nothing, or nothing more when the node hears them twice: a transaction that it has is accepted
 * again, getnewaddress leaves an address unused. Not so `send`, `createwallet` or `generatetoaddress`.
 */
const REPEATABLE = /^(get|list|estimatesmartfee$|sendrawtransaction$)/

export interface BitcoinRpc {
  /**
   * The call's result. Numbers of more than 15 characters come as strings, exact: read amounts with
   * parseBtcAmount. Throws RpcError.
   */
  call(method: string, ...params: unknown[]): Promise<unknown>
  /** The same connection, every call addressed to that wallet. */
  wallet(name: string): BitcoinRpc
  /** Ends the connection, for wallets too. Idempotent. */
  close(): void
}

export interface RpcOptions {
  /** http://host:port */
  readonly url: string
  readonly cookieFile?: string
  readonly username?: string
  readonly password?: string
  readonly timeoutMs?: number
}

/** A client of one bitcoind. Opens nothing before the first call. */
export function connectRpc(options: RpcOptions): BitcoinRpc {
  const { url, cookieFile, username, password } = options
  assert(
    (cookieFile === undefined) !== (username === undefined),
    'bitcoind RPC: credentials are a cookie file, or a username and password',
  )
  const transport = createRpcTransport(new URL(url))
  let authorization: string | null = null

  async function authorize(): Promise<string> {
    if (cookieFile === undefined) return basicAuthorization(`${username}:${password ?? ''}`)
    return readCookie(cookieFile)
  }

  async function post(call: Omit<RpcPost, 'authorization'>): Promise<HttpReply> {
    authorization ??= await authorize()
    const tried = authorization
    const reply = await transport.post({ ...call, authorization })
    if (reply.statusCode !== 401) return checkReply(reply)
    // The node restarted, and its cookie changed. A 401 is given before the call is read, so once more is safe.
    authorization = await authorize()
    return checkReply(authorization === tried ? reply : await transport.post({ ...call, authorization }))
  }

  function clientOf(
    path: string,
    repeatable: boolean,
    timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
  ): Client {
    const client = new Client({ host: url, logger: { debug() {} } })
    // bitcoin-core writes the calls and reads the answers. Its HTTP library is replaced: that one is deprecated,
    // follows redirects with the credentials, bounds no answer, and can't tell an unsent call from a lost answer.
    // The path is ours as well: bitcoin-core sends wallet methods that it doesn't know to the node's root.
    Object.assign(client, {
      request: { postAsync: ({ body }: { body: string }) => post({ path, body, repeatable, timeoutMs }) },
    })
    return client
  }

  function at(path: string): BitcoinRpc {
    const repeating = clientOf(path, true)
    const once = clientOf(path, false)
    const importing = clientOf(path, false, IMPORT_TIMEOUT_MS)
    return {
      async call(method, ...params) {
        assert(!params.some((value) => typeof value === 'bigint'), 'amounts go in through formatBtcAmount')
        try {
          const client = REPEATABLE.test(method) ? repeating : once
          return await (method === 'importdescriptors' ? importing : client).command<unknown>(
            method,
            ...params,
          )
        } catch (error) {
          throw translate(method, error)
        }
      },
      wallet: (name) => at(`/wallet/${encodeURIComponent(name)}`),
      close: () => transport.close(),
    }
  }

  return at('/')
}

/** Passes on what is JSON-RPC; anything else HTTP says becomes an RpcError. */
function checkReply(reply: HttpReply): HttpReply {
  const status = `HTTP ${reply.statusCode} ${reply.statusMessage}`
  if (reply.statusCode === 401 || reply.statusCode === 403) {
    throw new RpcError('rpc_unauthorized', `bitcoind refused the credentials: ${status}`, { sent: 'no' })
  }
  if (reply.statusCode === 503) {
    throw new RpcError('rpc_unreachable', `bitcoind takes no calls now: ${status}`, { sent: 'no' })
  }
  // One call is answered by one object; bitcoin-core would take a list for a batch.
  if (reply.headers['content-type'] !== 'application/json' || !reply.body.startsWith('{')) {
    throw new RpcError('rpc_malformed', `no JSON-RPC answer: ${status}`, { sent: 'unknown' })
  }
  return reply
}

function translate(method: string, error: unknown): RpcError {
  if (error instanceof RpcError) return error
  // bitcoin-core's parser throws an Error that carries the node's code, and a plain object for bad JSON.
  if (error instanceof Error && 'code' in error && typeof error.code === 'number') {
    const rpcCode = error.code
    const message = `${method}: ${error.message} (${rpcCode})`
    if (rpcCode === RPC_IN_WARMUP) {
      return new RpcError('rpc_warming_up', message, { sent: 'no', rpcCode, cause: error })
    }
    if (UNCLEAR_RPC_CODES.includes(rpcCode)) {
      return new RpcError('rpc_malformed', message, { sent: 'unknown', rpcCode, cause: error })
    }
    return new RpcError('rpc_refused', message, { sent: 'yes', rpcCode, cause: error })
  }
  return new RpcError('rpc_malformed', `${method}: not a JSON-RPC answer`, { sent: 'unknown', cause: error })
}
