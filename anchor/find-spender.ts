import { Block } from 'bitcoinjs-lib'
import { type Outpoint, txidOf } from './anchor-transaction.ts'
import { headerHash } from './block-header.ts'
import type { Node } from './node.ts'

/** Two days: what one call reads, a whole block after the other. Of a seal that went unwatched for longer, recoverAnchors finds it. */
const MAX_SEARCHED_BLOCKS = 288

/** A transaction that spends a coin, in a block of the best chain. */
export interface Spender {
  txid: string
  raw: Uint8Array
  height: number
  blockHash: string
}

/** The transaction of the best chain that spends `outpoint`, looked for from the tip down; null: not found there. */
export async function findSpender(
  node: Node,
  outpoint: Outpoint,
  fromHeight: number,
  toHeight: number,
): Promise<Spender | null> {
  const lowest = Math.max(toHeight, fromHeight - MAX_SEARCHED_BLOCKS + 1, 0)
  for (let height = fromHeight; height >= lowest; height--) {
    const block = await node.blockAt(height)
    if (block === null) continue
    const raw = spenderIn(block, outpoint)
    if (raw !== null) return { txid: txidOf(raw), raw, height, blockHash: headerHash(block.subarray(0, 80)) }
  }
  return null
}

/** As findSpender, however many blocks it takes: whoever asks waits for it. */
export async function findSpenderSince(
  node: Node,
  outpoint: Outpoint,
  fromHeight: number,
  sinceHeight: number,
): Promise<Spender | null> {
  for (let from = fromHeight; from >= sinceHeight; from -= MAX_SEARCHED_BLOCKS) {
    const spender = await findSpender(node, outpoint, from, sinceHeight)
    if (spender !== null) return spender
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
