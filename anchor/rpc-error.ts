export type RpcErrorCode =
  | 'rpc_unreachable' // no connection, or the node takes no calls now
  | 'rpc_timeout'
  | 'rpc_unauthorized'
  | 'rpc_warming_up' // RPC error -28: the node is still loading
  | 'rpc_refused' // the node answered with an error; rpcCode says which
  | 'rpc_malformed' // what answered doesn't speak bitcoind's JSON-RPC

/**
 * Whether the node may have acted on the call. `no`: it never saw it, or turned it away unread. `yes`: it
 * answered. `unknown`: sent and not answered; a payment in this state may have been broadcast.
 */
export type RpcSent = 'no' | 'unknown' | 'yes'

export class RpcError extends Error {
  override readonly name = 'RpcError'
  readonly code: RpcErrorCode
  /** bitcoind's own error code (Bitcoin Core, rpc/protocol.h); null when it gave none. */
  readonly rpcCode: number | null
  readonly sent: RpcSent

  constructor(
    code: RpcErrorCode,
    message: string,
    details: { sent: RpcSent; rpcCode?: number; cause?: unknown },
  ) {
    super(message, { cause: details.cause })
    this.code = code
    this.rpcCode = details.rpcCode ?? null
    this.sent = details.sent
  }
}
