import { type Outpoint, txidOf } from './anchor-transaction.ts'
import { PayoutCheckError } from './check-payout-transaction.ts'
import type { Node } from './node.ts'
import type { NewAttempt } from './payer-store.ts'
import type { PayoutMaker } from './payout-maker.ts'
import type { PayoutAttempt, PayoutRecord } from './payout-record.ts'
import type { SpendSearch } from './spend-search.ts'

const UNPAID = 'once that is final, `assay payout void` gives the payees back what they were to get'
const PAID = 'the payees are paid, and once that is final the payout is settled without its child'

/**
 * What a coin went into: an attempt of the payout's, made by whoever kept the books before they were lost, or something else.
 * `height`: of its block; null while it is in none.
 */
export type Spend =
  | { kind: 'ours'; attempt: NewAttempt }
  | { kind: 'foreign'; reason: string; height: number | null }

/**
 * The transaction that spends one of the payout's `coins`, of which this database knows nothing: what a
 * restored one meets (DESIGN §8). It is ours if it pays what was meant with our signatures, whatever its fee.
 * `mempool`: one that waits there counts as well. Null while they are unspent. Throws PayerError `spender_unread`; RpcError, NodeError.
 */
export async function findSpend(
  { node, maker, search }: { node: Node; maker: PayoutMaker; search: SpendSearch },
  payout: Pick<PayoutRecord, 'inputs' | 'outputs'>,
  { coins, parent }: { coins: readonly Outpoint[]; parent: PayoutAttempt | null },
  { mempool }: { mempool: boolean },
): Promise<Spend | null> {
  const coin = await firstSpent(node, coins, mempool)
  if (coin === null) return null
  const { height: tipHeight } = await node.chain()
  const waiting = mempool ? await node.mempoolSpender(coin) : null
  const spender = waiting === null ? await search(coin) : { raw: waiting, height: tipHeight }
  const name = `${coin.txid}:${coin.vout}`
  const next = parent === null ? UNPAID : PAID
  if (spender === null) {
    const reason = `${name} is spent, by nothing in the mempool or the blocks since it was taken; ${next}`
    return { kind: 'foreign', reason, height: null }
  }
  const attempt = adopted(maker, payout, parent, spender)
  if (!(attempt instanceof PayoutCheckError)) return { kind: 'ours', attempt }
  return {
    kind: 'foreign',
    reason: `${name} is spent by ${txidOf(spender.raw)}, which is no payment of this payout: ${attempt.message}; ${next}`,
    height: waiting === null ? spender.height : null,
  }
}

/** What is in the chain as an attempt of the payout, or why it is none. */
export function adopted(
  maker: PayoutMaker,
  payout: Pick<PayoutRecord, 'inputs' | 'outputs'>,
  parent: PayoutAttempt | null,
  { raw, height }: { raw: Uint8Array; height: number },
): NewAttempt | PayoutCheckError {
  try {
    return maker.adopt(payout, parent, raw, height)
  } catch (error) {
    if (error instanceof PayoutCheckError) return error
    throw error
  }
}

async function firstSpent(
  node: Node,
  coins: readonly Outpoint[],
  mempool: boolean,
): Promise<Outpoint | null> {
  for (const coin of coins) if ((await node.txOut(coin, { mempool })) === null) return coin
  return null
}
