import { Block } from 'bitcoinjs-lib'
import { type Outpoint, txidOf } from './anchor-transaction.ts'
import type { Node } from './node.ts'

/**
 * Two days: how far back a spender is looked for, one whole block per call. Of a seal that went unwatched for longer,
 * recoverAnchors finds it.
 */
export const MAX_SEARCHED_BLOCKS = 288

/** The transaction of the best chain that spends `outpoint`, looked for from the tip down; null: not found there. */
export async function findSpender(
  node: Node,
  outpoint: Outpoint,
  fromHeight: number,
  toHeight: number,
): Promise<{ txid: string; raw: Uint8Array; height: number } | null> {
  const lowest = Math.max(toHeight, fromHeight - MAX_SEARCHED_BLOCKS + 1, 0)
  for (let height = fromHeight; height >= lowest; height--) {
    const block = await node.blockAt(height)
    const raw = block === null ? null : spenderIn(block, outpoint)
    if (raw !== null) return { txid: txidOf(raw), raw, height }
  }
  return null
}

/** Full bytes of the block's transaction that spends `outpoint`, or null. */
export function spenderIn(block: Uint8Array, { txid, vout }: Outpoint): Uint8Array | null {
  const wanted = Buffer.alloc(36)
  Buffer.from(txid, 'hex').reverse().copy(wanted)
  wanted.writeUInt32LE(vout, 32)
  // An input holds these 36 bytes as they are: blocks without them, nearly all, need not be parsed.
  if (!Buffer.from(block.buffer, block.byteOffset, block.length).includes(wanted)) return null
  const hash = wanted.subarray(0, 32)
  const { transactions = [] } = Block.fromBuffer(block)
  const spender = transactions.find(({ ins }) =>
    ins.some((input) => input.index === vout && hash.equals(input.hash)),
  )
  return spender?.toBuffer() ?? null
}
