import { parseAddress } from '../../anchor/address.ts'
import type { Node } from '../../anchor/node.ts'
import type { OpenStatus } from '../client/status-answer.ts'
import { minedTransaction } from './mined-transaction.ts'

/** Satoshis that reached each worker's address, summed over the payout transactions as they stand in their blocks. */
export async function paidOnChain(
  chain: Node,
  { payouts, workers }: Pick<OpenStatus, 'payouts' | 'workers'>,
): Promise<Map<string, bigint>> {
  const byScript = new Map<string, bigint>()
  for (const { txid, height } of payouts) {
    const { outs } = await minedTransaction(chain, txid, height)
    for (const { script, value } of outs) {
      const key = Buffer.from(script).toString('hex')
      byScript.set(key, (byScript.get(key) ?? 0n) + BigInt(value))
    }
  }
  return new Map(
    workers.map(({ address }) => {
      const { script } = parseAddress(address, 'regtest')
      return [address, byScript.get(Buffer.from(script).toString('hex')) ?? 0n]
    }),
  )
}
