import { parseTransaction } from '../../anchor/parse-transaction.ts'
import { type AccountName, requesterAccount } from '../ledger/accounts.ts'
import type { EntryOf } from '../log/entry.ts'
import { txidText } from '../log/txid.ts'
import { MSAT_PER_SAT } from '../rules/msat-per-sat.ts'
import type { ChainNode } from './replay-source.ts'
import { latestTip, type ReplayState } from './replay-state.ts'
import { paysTo } from './script-of.ts'
import { PRUNED, unlessPruned } from './unless-pruned.ts'

/** A deposit is a coin at the treasury's address, or at a requester's: booked once, to whom the address says. */
export async function checkDeposit(
  state: ReplayState,
  entry: EntryOf<'deposit'>,
  index: number,
): Promise<void> {
  const check = state.findings.at('deposits', index)
  const { height, vout, sats } = entry
  const txid = txidText(entry.txid)
  const outpoint = `${txid}:${vout}`
  if (!check(!state.coins.has(outpoint), 'deposit_repeated', () => `${outpoint} is booked already`)) return
  check(sats > 0n, 'deposit_of_nothing', () => `${outpoint} is booked with 0 sat`)
  const owner = ownerOf(state, entry.account)
  check(owner !== null, 'account_mismatch', () => `booked to ${entry.account}, which has no address`)
  if (owner === null) return
  const { account, script } = owner
  const { node } = state.source.chain
  const finalHeight = height - 1 + state.rules.finalDepth
  const tip = latestTip(state, index)
  check(finalHeight <= tip, 'deposit_early', () => `final at block ${finalHeight}, booked by block ${tip}`)
  const found = node === null ? PRUNED : await findCoin(state, node, { txid, vout, height })
  if (found === PRUNED) state.findings.skip('deposits')
  else {
    check(found !== null && found.valueSats === sats && paysTo(found, script), 'coin_mismatch', () =>
      found === null
        ? `${outpoint} is not in block ${height}`
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
  for (const [name, { script }] of requesters) {
    if (account === requesterAccount(name)) return { account: requesterAccount(name), script }
  }
  return null
}

interface Coin {
  readonly valueSats: bigint
  readonly script: Uint8Array
}

/** In the block that the entry names; a pruned node that has forgotten it still knows it while it is unspent. */
async function findCoin(
  { source }: ReplayState,
  node: ChainNode,
  { txid, vout, height }: { txid: string; vout: number; height: number },
): Promise<Coin | typeof PRUNED | null> {
  const hash = await source.chain.blockHash(height)
  const raw = hash === null ? null : await unlessPruned(node.transactionInBlock(txid, txidText(hash)))
  if (raw === PRUNED) return (await node.txOut({ txid, vout }, { mempool: false })) ?? PRUNED
  const output = raw === null ? undefined : parseTransaction(raw)?.outs[vout]
  return output === undefined ? null : { valueSats: output.value, script: output.script }
}
