import type { Transaction } from 'bitcoinjs-lib'
import { parseTransaction } from '../../anchor/parse-transaction.ts'
import { payoutAccount } from '../ledger/accounts.ts'
import { txidText } from '../log/txid.ts'
import { MSAT_PER_SAT } from '../rules/msat-per-sat.ts'
import { findPayment } from './find-payment.ts'
import type { Check } from './findings.ts'
import type { ReplayedCoin, ReplayedPayout, ReplayState } from './replay-state.ts'
import { paysTo, scriptOf } from './script-of.ts'
import { PRUNED, unlessPruned } from './unless-pruned.ts'

/**
 * Books a payout as settled, with the fee that its transaction in the chain paid. @returns the block that has the last
 * of it; null where that isn't known, or it is settled already
 */
export async function settlePayment(state: ReplayState, payout: ReplayedPayout): Promise<number | null> {
  if (payout.isSettled) return null
  payout.isSettled = true
  const { balances } = state
  const { feeSats, height } = await checkPayment(state, payout)
  balances.move(payoutAccount(payout.number), 'treasury', payout.totalSats * MSAT_PER_SAT)
  balances.move('fees', 'treasury', feeSats * MSAT_PER_SAT)
  return height
}

/**
 * What the chain shows for a settled payout: the pinned coin spent, to the payees alone. @returns the sum of its fee and its
 * child's, and the last block of both
 */
async function checkPayment(
  state: ReplayState,
  payout: ReplayedPayout,
): Promise<{ feeSats: bigint; height: number | null }> {
  const claimed = state.source.claims?.payments.get(payout.number)
  const { node } = state.source.chain
  const located = node === null ? null : (claimed ?? (await unlessPruned(findPayment(state, node, payout))))
  const raw = located === null || located === PRUNED ? PRUNED : await readMined(state, located)
  if (located === null || located === PRUNED || raw === PRUNED) {
    state.findings.skip('payments')
    state.areCoinsKnown = false
    return { feeSats: claimed?.feeSats ?? 0n, height: null }
  }
  const check = state.findings.at('payments', payout.entry)
  const { txid, height, child } = located
  const transaction = raw === null ? null : parseTransaction(raw)
  check(
    transaction !== null && transaction.getId() === txid,
    'payment_missing',
    () => `transaction ${txid} is not in block ${height}`,
  )
  if (transaction === null || height === null) return { feeSats: 0n, height: null }
  const anchor = state.anchored.first(payout.entry)
  // It was sent once that anchor was final; a shallower reorg may carry it into any block above the anchor's.
  check(
    anchor !== null && height > anchor.height,
    'paid_before_anchor',
    () => `paid in block ${height}, its intent is anchored in block ${anchor?.height}`,
  )
  checkOutputs(state, payout, transaction)
  const feeSats = moveCoins(state, payout, transaction)
  const childFeeSats = child === null ? 0n : await followChild(state, payout, transaction, child)
  return {
    feeSats: state.areCoinsKnown ? feeSats + childFeeSats : (claimed?.feeSats ?? 0n),
    height: Math.max(height, child?.height ?? 0),
  }
}

/** The treasury's own child of a payment: it moves the change to the treasury, less a fee. @returns that fee */
async function followChild(
  state: ReplayState,
  { entry, payees }: ReplayedPayout,
  parent: Transaction,
  claimed: { txid: string; height: number | null },
): Promise<bigint> {
  const check = state.findings.at('payments', entry)
  const raw = await readMined(state, claimed)
  if (raw === PRUNED) {
    state.areCoinsKnown = false
    return 0n
  }
  const child = raw === null ? null : parseTransaction(raw)
  const [input, ...inputs] = child?.ins ?? []
  const [output, ...outputs] = child?.outs ?? []
  const change = `${parent.getId()}:${payees.length}`
  const isOurs =
    input !== undefined &&
    output !== undefined &&
    inputs.length + outputs.length === 0 &&
    `${txidText(input.hash)}:${input.index}` === change &&
    paysTo(output, state.treasury)
  check(
    isOurs && child?.getId() === claimed.txid,
    'child_mismatch',
    () => `${claimed.txid} in block ${claimed.height} does not move the change to the treasury`,
  )
  const coin = state.coins.get(change)
  if (!isOurs || coin === undefined) return 0n
  coin.isSpent = true
  takeChange(state, check, { txid: claimed.txid, vout: 0, sats: output.value, entry })
  return coin.sats - output.value
}

/** Its full bytes; null when the chain doesn't hold it there. */
export async function readMined(
  { source }: ReplayState,
  { txid, height }: { txid: string | null; height: number | null },
): Promise<Uint8Array | typeof PRUNED | null> {
  const { node } = source.chain
  const hash = height === null ? null : await source.chain.blockHash(height)
  if (node === null || txid === null || hash === null) return null
  return unlessPruned(node.transactionInBlock(txid, txidText(hash)))
}

/** Each payee its amount, in the order of the intent, and one change output to the treasury. */
function checkOutputs(state: ReplayState, payout: ReplayedPayout, { outs }: Transaction): void {
  const { entry, payees } = payout
  const wrong = wrongOutput(state, payout, outs)
  state.findings.at('payments', entry)(
    wrong === -1 && outs.length === payees.length + 1,
    'payment_mismatch',
    () => `${outs.length} outputs for ${payees.length} payees and the change; wrong is output ${wrong}`,
  )
}

function wrongOutput(
  { genesis, treasury }: ReplayState,
  { payees }: ReplayedPayout,
  outs: Transaction['outs'],
): number {
  return outs.findIndex((output, i) => {
    const payee = payees[i]
    if (payee === undefined) return !paysTo(output, treasury)
    return output.value !== payee.sats || !paysTo(output, scriptOf(payee.address, genesis.network))
  })
}

/** Whether what spends the pinned coin is the payment: the treasury's coins alone, to the payees and back. */
export function isPayment(state: ReplayState, payout: ReplayedPayout, { ins, outs }: Transaction): boolean {
  return (
    outs.length === payout.payees.length + 1 &&
    wrongOutput(state, payout, outs) === -1 &&
    ins.every(({ hash, index }) => state.coins.has(`${txidText(hash)}:${index}`))
  )
}

/** Follows the treasury's coins through the payment. @returns inputs less outputs */
function moveCoins(
  state: ReplayState,
  { entry, input, payees }: ReplayedPayout,
  transaction: Transaction,
): bigint {
  const check = state.findings.at('payments', entry)
  const outpoints = transaction.ins.map(({ hash, index }) => `${txidText(hash)}:${index}`)
  const pinned = `${txidText(input.txid)}:${input.vout}`
  check(
    outpoints[0] === pinned,
    'input_not_pinned',
    () => `spends ${outpoints[0]} first, pinned is ${pinned}`,
  )
  if (!state.areCoinsKnown) return 0n
  const spent: ReplayedCoin[] = []
  for (const outpoint of outpoints) {
    const coin = state.coins.get(outpoint)
    const isHeld = coin !== undefined && !coin.isSpent
    check(isHeld, 'input_not_treasury', () => `spends ${outpoint}, which is not the treasury's by the log`)
    if (coin === undefined || !isHeld) continue
    coin.isSpent = true
    spent.push(coin)
  }
  const [first] = spent
  check(first?.sats === input.sats, 'input_value_mismatch', () => `the pinned coin holds ${first?.sats} sat`)
  const change = transaction.outs[payees.length]
  if (change !== undefined) {
    takeChange(state, check, { txid: transaction.getId(), vout: payees.length, sats: change.value, entry })
  }
  const outSats = transaction.outs.reduce((sum, { value }) => sum + value, 0n)
  return spent.reduce((sum, { sats }) => sum + sats, 0n) - outSats
}

/** What comes back to the treasury was its already: no deposit. */
function takeChange(
  { coins, treasury }: ReplayState,
  check: Check,
  coin: Pick<ReplayedCoin, 'txid' | 'vout' | 'sats' | 'entry'>,
): void {
  const outpoint = `${coin.txid}:${coin.vout}`
  check(!coins.has(outpoint), 'change_deposited', () => `the change ${outpoint} is booked as a deposit`)
  coins.set(outpoint, { ...coin, script: treasury, isSpent: false })
}
