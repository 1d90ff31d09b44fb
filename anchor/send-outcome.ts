import type { RpcError } from './rpc-error.ts'

/** What became of a broadcast. Only `accepted` and `known` say that the node has the transaction. */
export type SendOutcome =
  | { kind: 'accepted' }
  | { kind: 'known' }
  | { kind: 'spent'; detail: string } // an input is missing or spent: look the transaction up
  | { kind: 'refused'; detail: string; rpcCode: number } // by consensus or policy; not sent
  | { kind: 'unknown'; detail: string } // no answer: it may be on its way, so only the same bytes may follow

/** RPC_VERIFY_ERROR, RPC_VERIFY_ALREADY_IN_UTXO_SET (Bitcoin Core, rpc/protocol.h). */
const VERIFY_ERROR = -25
const ALREADY_IN_UTXO_SET = -27

/** The outcome behind an error of sendrawtransaction. */
export function sendOutcomeOf(error: RpcError): SendOutcome {
  const { message: detail, rpcCode } = error
  if (rpcCode === null || error.code !== 'rpc_refused') return { kind: 'unknown', detail }
  if (rpcCode === ALREADY_IN_UTXO_SET || /txn-already-(known|in-mempool)/.test(detail))
    return { kind: 'known' }
  // -25 is also "max fee exceeded"; only missing inputs say that somebody was first.
  if (rpcCode === VERIFY_ERROR && detail.includes('missingorspent')) return { kind: 'spent', detail }
  return { kind: 'refused', detail, rpcCode }
}
