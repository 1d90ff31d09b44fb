import { address, networks } from 'bitcoinjs-lib'
import type { Node } from '../../anchor/node.ts'
import type { ReadStatus } from '../client/read-status.ts'
import { minedTransaction } from './mined-vsize.ts'

/** Satoshis by address, summed over the outputs of the payout transactions as they stand in their blocks. */
export async function paidOnChain(
  chain: Node,
  payouts: NonNullable<ReadStatus['open']>['payouts'],
): Promise<Map<string, bigint>> {
  const paid = new Map<string, bigint>()
  for (const { txid, height } of payouts) {
    const { outs } = await minedTransaction(chain, txid, height)
    for (const { script, value } of outs) {
      const to = address.fromOutputScript(script, networks.regtest)
      paid.set(to, (paid.get(to) ?? 0n) + BigInt(value))
    }
  }
  return paid
}
