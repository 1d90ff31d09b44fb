import assert from 'node:assert/strict'
import type { FoundAnchor } from './adopt-anchors.ts'
import type { Seal, TopUp } from './anchor-transaction.ts'
import { encodePayload } from './commitment.ts'
import { readInclusion } from './inclusion.ts'
import type { Node } from './node.ts'
import { parseTransaction } from './parse-transaction.ts'
import { RecoverError } from './recover-error.ts'

/** The log that was anchored: its size now, and the RFC 6962 root over its first entries. */
export interface LogRoots {
  size: () => number
  root: (size: number) => Uint8Array
}

/** A transaction identified as the anchor of `payload`. */
interface FoundTransaction {
  raw: Uint8Array
  height: number
  /** Input 0. */
  seal: Seal
  payload: Uint8Array
  index: number
  /** Of the anchor before: logs only grow. */
  fromSize: number
}

/** All that the database keeps of an anchor, from its transaction in the chain. Throws RecoverError. */
export async function readFoundAnchor(
  { node, origin, log }: { node: Node; origin: string; log: LogRoots },
  { raw, height, seal, payload, index, fromSize }: FoundTransaction,
): Promise<FoundAnchor> {
  const block = await readInclusion(node, raw, height)
  if (block === null) throw new RecoverError('tip_moved', `block ${height} changed while it was read`)
  const transaction = parseTransaction(raw)
  const [output] = transaction?.outs ?? []
  assert(transaction !== null && output !== undefined, 'it was identified as an anchor')
  const [, second] = transaction.ins
  const txid = transaction.getId()
  const outputSats = output.value
  let topUp: TopUp | null = null
  let feeSats = seal.valueSats - outputSats
  if (second !== undefined) {
    const told = await node.feeInBlock(txid, block.blockHash)
    if (told === null) throw new RecoverError('fee_unknown', `the node can't tell the fee of ${txid}`)
    const valueSats = outputSats + told - seal.valueSats
    topUp = { txid: Buffer.from(second.hash).reverse().toString('hex'), vout: second.index, valueSats }
    feeSats = told
  }
  const { size, root } = checkpointOf(payload, { origin, log, index, fromSize })
  const vsize = transaction.virtualSize()
  return { index, size, root, payload, topUp, feeSats, outputSats, vsize, txid, raw, block }
}

/** A payload holds a digest of size and root: the log is asked for one size after the other. */
function checkpointOf(
  payload: Uint8Array,
  { origin, log, index, fromSize }: { origin: string; log: LogRoots; index: number; fromSize: number },
): { size: number; root: Uint8Array } {
  const lastSize = log.size()
  for (let size = fromSize; size <= lastSize; size++) {
    const root = log.root(size)
    if (Buffer.compare(encodePayload({ index, origin, size, root }), payload) === 0) return { size, root }
  }
  const message =
    `anchor ${index} commits to none of the log's checkpoints from size ${fromSize} to ${lastSize}: ` +
    'this copy of the log is older than its anchors; restore a newer backup'
  throw new RecoverError('checkpoint_unknown', message)
}
