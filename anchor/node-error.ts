type NodeErrorCode =
  | 'wrong_network' // the node serves another chain than the one configured
  | 'node_malformed' // an answer that isn't what Bitcoin Core documents
  | 'node_mismatch' // an answer that doesn't hash to what was asked for
  | 'block_pruned' // the node no longer holds that block
  | 'pin_missing' // the node follows a chain without a pinned block

/** What the node said can't be used. A node that doesn't answer is an RpcError. */
export class NodeError extends Error {
  override readonly name = 'NodeError'
  readonly code: NodeErrorCode

  constructor(code: NodeErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
