import { Block, type Transaction } from 'bitcoinjs-lib'
import { type Outpoint, txidOf } from '../../anchor/anchor-transaction.ts'
import { spenderIn } from '../../anchor/find-spender.ts'
import { parseTransaction } from '../../anchor/parse-transaction.ts'
import { txidText } from '../log/txid.ts'
import type { ChainNode, ClaimedPayment } from './replay-source.ts'
import type { ReplayedPayout, ReplayState } from './replay-state.ts'
import { paysTo } from './script-of.ts'

/** A week: a payment is sent when its intent is final, unless the coordinator was down. */
const MAX_BLOCKS_SEARCHED = 1_008

/** Of the blocks of these heights, what spends coins that the treasury holds by the log. Throws NodeError `block_pruned`. */
export async function findSpends(
  { coins }: ReplayState,
  node: ChainNode,
  from: number,
  to: number,
): Promise<Transaction[]> {
  const isHeld = (outpoint: string) => coins.get(outpoint)?.isSpent === false
  const found: Transaction[] = []
  for (let height = from; height <= to; height += 1) {
    const block = await node.blockAt(height)
    const { transactions = [] } = block === null ? {} : Block.fromBuffer(block)
    found.push(
      ...transactions.filter(({ ins }) =>
        ins.some(({ hash, index }) => isHeld(`${txidText(hash)}:${index}`)),
      ),
    )
  }
  return found
}

type Located = Pick<ClaimedPayment, 'txid' | 'height' | 'child'>

/**
 * Where a payment is when nobody says so: what spends the pinned coin, which was unspent when it was planned,
 * and the treasury's own child of it. Null: it isn't found. Throws NodeError `block_pruned`.
 */
export async function findPayment(
  state: ReplayState,
  node: ChainNode,
  { entry, height, input, payees }: ReplayedPayout,
): Promise<(Located & { readonly raw: Uint8Array; readonly height: number }) | null> {
  const isAnchored = state.anchored.first(entry) !== null
  const pinned = { txid: txidText(input.txid), vout: input.vout }
  const paid = isAnchored
    ? await findSpending(state, node, pinned, height - state.rules.finalDepth + 1)
    : null
  if (paid === null) return null
  const change = { txid: paid.txid, vout: payees.length }
  return { ...paid, child: await findChild(state, node, change, paid.height) }
}

/** A payment has a payee beside its change: what has one output alone, to the treasury, is a child. */
async function findChild(
  state: ReplayState,
  node: ChainNode,
  change: Outpoint,
  from: number,
): Promise<{ readonly txid: string; readonly height: number } | null> {
  if ((await node.txOut(change, { mempool: false })) !== null) return null
  const spender = await findSpending(state, node, change, from)
  const { ins = [], outs = [] } = (spender && parseTransaction(spender.raw)) ?? {}
  const [output] = outs
  const isChild =
    ins.length === 1 && outs.length === 1 && output !== undefined && paysTo(output, state.treasury)
  return isChild ? spender : null
}

async function findSpending(
  { source }: ReplayState,
  node: ChainNode,
  outpoint: Outpoint,
  from: number,
): Promise<{ readonly txid: string; readonly height: number; readonly raw: Uint8Array } | null> {
  const to = Math.min(source.chain.tipHeight, from + MAX_BLOCKS_SEARCHED)
  for (let height = from; height <= to; height += 1) {
    const block = await node.blockAt(height)
    const raw = block && spenderIn(block, outpoint)
    if (raw !== null) return { txid: txidOf(raw), height, raw }
  }
  return null
}
