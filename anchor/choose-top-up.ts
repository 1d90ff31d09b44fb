import type { Outpoint, TopUp } from './anchor-transaction.ts'
import type { Node } from './node.ts'
import { byValueThenOutpoint, isSpendable } from './spendable-coin.ts'

/** Whoever sends dust to the anchor address costs no more calls than this: the largest come first. */
const MAX_LOOKUPS = 32

interface TopUpQuestion {
  /** From a wallet; not believed. */
  listed: readonly TopUp[]
  /** The coin of the attempt that is about to be replaced: the mempool holds it spent, and gives it back. */
  given: TopUp | null
  /** The anchor key's BIP-86 output. */
  script: Uint8Array
  minConfirmations: number
  /** The only seal that stands under the same script: it is never a top-up. */
  firstSeal: Outpoint
}

/** The largest coin that can refill the seal now, or null. */
export async function chooseTopUp(node: Node, question: TopUpQuestion): Promise<TopUp | null> {
  const { listed, given, firstSeal, script, minConfirmations } = question
  const candidates = given === null ? listed : [given, ...listed.filter((coin) => !isSame(coin, given))]
  const coins = candidates.filter((coin) => !isSame(coin, firstSeal)).toSorted(byValueThenOutpoint)
  for (const { txid, vout, valueSats } of coins.slice(0, MAX_LOOKUPS)) {
    const coin = { txid, vout, valueSats }
    const mempool = given === null || !isSame(coin, given)
    if (await isSpendable(node, coin, { script, minConfirmations, mempool })) return coin
  }
  return null
}

function isSame(a: Outpoint, b: Outpoint): boolean {
  return a.txid === b.txid && a.vout === b.vout
}
