import { txidOf } from './anchor-transaction.ts'
import { parseHeader } from './block-header.ts'
import { type Branch, checkBranch, proveTransaction } from './merkle-branch.ts'
import type { Node } from './node.ts'
import { NodeError } from './node-error.ts'

/** Where a transaction stands in a block: all that a proof needs beside its bytes. */
export interface Inclusion {
  height: number
  /** Hex as bitcoind shows it. */
  blockHash: string
  header: Uint8Array
  branch: Branch
}

/**
 * The inclusion of `raw` in the best chain's block at `height`; null when it isn't there. The branch is checked
 * against the header, not believed. Throws RpcError, NodeError.
 */
export async function readInclusion(node: Node, raw: Uint8Array, height: number): Promise<Inclusion | null> {
  const blockHash = await node.blockHash(height)
  if (blockHash === null) return null
  const txid = txidOf(raw)
  const txids = await node.blockTxids(blockHash)
  const position = txids.indexOf(txid)
  if (position === -1) return null
  const header = await node.header(blockHash)
  const branch = proveTransaction(txids, position)
  if (!Buffer.from(checkBranch(txid, branch)).equals(parseHeader(header).merkleRoot)) {
    throw new NodeError('node_mismatch', `the transactions received for block ${blockHash} are another one's`)
  }
  return { height, blockHash, header, branch }
}

/** Two weeks: how far back a transaction is looked for, one small call per block. */
const MAX_SEARCHED_BLOCKS = 2_016

/** The height of the best chain's block that holds `txid`, searched downwards from `fromHeight`; null: not found. */
export async function findHeight(node: Node, txid: string, fromHeight: number): Promise<number | null> {
  const lowest = Math.max(0, fromHeight - MAX_SEARCHED_BLOCKS + 1)
  for (let height = fromHeight; height >= lowest; height--) {
    const blockHash = await node.blockHash(height)
    if (blockHash !== null && (await node.transactionInBlock(txid, blockHash)) !== null) return height
  }
  return null
}
