import { Transaction } from 'bitcoinjs-lib'
import type { Node } from '../../anchor/node.ts'
import { DemoError } from './until.ts'

/** Virtual size of a transaction as it stands in its block: measured, not believed. */
export async function minedVsize(
  chain: Node,
  { txid, height }: { txid: string | null; height: number | null },
): Promise<number> {
  return (await minedTransaction(chain, txid, height)).virtualSize()
}

export async function minedTransaction(
  chain: Node,
  txid: string | null,
  height: number | null,
): Promise<Transaction> {
  const hash = height === null ? null : await chain.blockHash(height)
  const raw = txid === null || hash === null ? null : await chain.transactionInBlock(txid, hash)
  if (raw === null) throw new DemoError(`transaction ${txid} is not in block ${height}`)
  return Transaction.fromBuffer(raw)
}
