import { parseTransaction } from '../../anchor/parse-transaction.ts'
import { type AccountName, requesterAccount } from '../ledger/accounts.ts'
import type { EntryOf } from '../log/entry.ts'
import { txidText } from '../log/txid.ts'
import type { ChainNode } from './replay-source.ts'
import { latestTip, type ReplayState } from './replay-state.ts'
import { paysTo, scriptOf } from './script-of.ts'
import { PRUNED, unlessPruned } from './unless-pruned.ts'

const MSAT_PER_SAT = 1000n
/** A week: a coin is booked when it is final, unless the coordinator was down. */
const MAX_BLOCKS_SEARCHED = 1_008

/** A deposit is a coin at the treasury's address, or at a requester's: booked once, to whom the address says. */
export async function checkDeposit(
  state: ReplayState,
  entry: EntryOf<'deposit'>,
  index: number,
): Promise<void> {
  const check = state.findings.at('deposits', index)
  const { vout, sats } = entry
  const txid = txidText(entry.txid)
  const outpoint = `${txid}:${vout}`
  if (!check(!state.coins.has(outpoint), 'deposit_repeated', () => `${outpoint} is booked already`)) return
  const owner = ownerOf(state, entry.account)
  check(owner !== null, 'account_mismatch', () => `booked to ${entry.account}, which has no address`)
  if (owner === null) return
  const { account, script } = owner
  const { node } = state.source.chain
  const found = node === null ? PRUNED : await unlessPruned(findCoin(state, node, index, { txid, vout }))
  if (found === PRUNED) state.findings.skip('deposits')
  else {
    check(found !== null && found.valueSats === sats && paysTo(found, script), 'coin_mismatch', () =>
      found === null
        ? `${outpoint} is not in the chain`
        : `${outpoint} holds ${found.valueSats} sat, booked ${sats}, or is not at the address of ${account}`,
    )
  }
  state.balances.move('treasury', account, sats * MSAT_PER_SAT)
  state.coins.set(outpoint, { txid, vout, sats, script, entry: index, isSpent: false })
}

function ownerOf(
  { requesters, treasury }: ReplayState,
  account: string,
): { account: AccountName; script: Uint8Array | null } | null {
  if (account === 'reserve') return { account, script: treasury }
  for (const [name, script] of requesters) {
    if (account === requesterAccount(name)) return { account: requesterAccount(name), script }
  }
  return null
}

interface Coin {
  readonly valueSats: bigint
  readonly script: Uint8Array
}

/** Unspent: the node knows it. Spent: taken over from an older log, or its transaction is looked for in the blocks before the entry's anchor. */
async function findCoin(
  state: ReplayState,
  node: ChainNode,
  index: number,
  { txid, vout }: { txid: string; vout: number },
): Promise<Coin | null> {
  const unspent = await node.txOut({ txid, vout }, { mempool: false })
  if (unspent !== null) return unspent
  const inherited = inheritedCoin(state, { txid, vout })
  if (inherited !== null) return inherited
  const newest = Math.min(latestTip(state, index), state.source.chain.tipHeight)
  for (let height = newest; height >= Math.max(0, newest - MAX_BLOCKS_SEARCHED); height -= 1) {
    const hash = await state.source.chain.blockHash(height)
    if (hash === null || !(await node.blockTxids(txidText(hash))).includes(txid)) continue
    const raw = await node.transactionInBlock(txid, txidText(hash))
    const output = raw === null ? undefined : parseTransaction(raw)?.outs[vout]
    return output === undefined ? null : { valueSats: output.value, script: output.script }
  }
  return null
}

/** The log before showed where it came from; here it is as old as may be. */
function inheritedCoin(
  { inherited, genesis }: ReplayState,
  { txid, vout }: { txid: string; vout: number },
): Coin | null {
  const found = inherited?.coins.find((coin) => coin.vout === vout && txidText(coin.txid) === txid)
  const script = inherited === null ? null : scriptOf(inherited.treasury, genesis.network)
  return found === undefined || script === null ? null : { valueSats: found.sats, script }
}
