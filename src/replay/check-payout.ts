import assert from 'node:assert/strict'
import { decodeCbor } from '../../compute/work/canonical-cbor.ts'
import { MAX_LIST_BYTES } from '../../compute/work/submission.ts'
import { type AccountName, parseAccount, payoutAccount } from '../ledger/accounts.ts'
import type { EntryOf } from '../log/entry.ts'
import { type Payee, parsePayees } from '../log/payees.ts'
import { MSAT_PER_SAT } from '../rules/msat-per-sat.ts'
import type { PayTo } from '../rules/pay-to.ts'
import { settlePayment } from './check-payment.ts'
import { type Check, readable } from './findings.ts'
import { payToOf } from './pay-to-of.ts'
import { readBlob } from './read-blob.ts'
import { latestTip, type ReplayedPayout, type ReplayState } from './replay-state.ts'

/** The intent to pay: to registered addresses, from what is owed, after the payout before is settled. */
export async function checkPayout(
  state: ReplayState,
  entry: EntryOf<'payout'>,
  index: number,
): Promise<void> {
  const check = state.findings.at('payouts', index)
  const { height, input, count, totalSats } = entry
  const last = state.payouts.at(-1)
  // There is one payout at a time: this one's entry says that the last one is settled.
  const paidHeight = last === undefined ? null : await settlePayment(state, last)
  const number = (last?.number ?? -1) + 1
  check(entry.payout === number, 'payout_number_mismatch', () => `number ${entry.payout}, expected ${number}`)
  const latest = latestTip(state, index)
  const finalHeight = (paidHeight ?? 0) - 1 + state.rules.finalDepth
  check(
    paidHeight === null || finalHeight <= latest,
    'payout_not_final',
    () => `the one before is final at block ${finalHeight}, this was logged by block ${latest}`,
  )
  check(
    height >= state.knownHeight && height <= latest,
    'height_mismatch',
    () => `planned at ${height}, logged between ${state.knownHeight} and ${latest}`,
  )
  state.knownHeight = Math.max(height, state.knownHeight)
  const bytes = await readBlob(state, check, entry.payees, 'payees')
  const payees =
    bytes === null
      ? null
      : readable(check, () => parsePayees(decodeCbor(bytes, { maxBytes: MAX_LIST_BYTES })))
  if (payees === null) return
  check(payees.length === count, 'count_mismatch', () => `lists ${payees.length} payees, not ${count}`)
  const sumSats = payees.reduce((sum, { sats }) => sum + sats, 0n)
  check(sumSats === totalSats, 'sum_mismatch', () => `pays ${sumSats} sat, says ${totalSats}`)
  for (const payee of payees) takeFrom(state, check, payee, { number, height })
  state.payouts.push({ number, entry: index, height, input, payees, totalSats, isSettled: false })
}

function takeFrom(
  state: ReplayState,
  check: Check,
  { account, address, sats }: Payee,
  { number, height }: Pick<ReplayedPayout, 'number' | 'height'>,
): void {
  const { balances } = state
  const payTo = payeeOf(state, account, height)
  check(
    address === payTo?.address,
    'payee_address_mismatch',
    () => `pays ${account} to ${address}, to be paid to ${payTo?.address ?? 'nothing'} at ${height}`,
  )
  const owedMsat = balances.of(account)
  check(
    payTo === null || payTo.thresholdSats * MSAT_PER_SAT <= owedMsat,
    'below_threshold',
    () => `pays ${account}, which wants to be paid from ${payTo?.thresholdSats} sat on, of ${owedMsat} msat`,
  )
  check(
    sats > 0n && sats * MSAT_PER_SAT <= owedMsat,
    'payee_not_owed',
    () => `pays ${account} ${sats} sat of ${owedMsat} msat that it is owed`,
  )
  balances.move(account, payoutAccount(number), sats * MSAT_PER_SAT)
}

/** A worker's matured rewards go where it says, a requester's deposit back to its refund address. */
function payeeOf(
  state: ReplayState,
  account: AccountName,
  height: number,
): Pick<PayTo, 'address' | 'thresholdSats'> | null {
  const { kind, owner } = parseAccount(account)
  assert(owner !== null, 'payees are accounts of somebody')
  if (kind !== 'requester') return payToOf(state, owner, height)
  const requester = state.requesters.get(owner)
  return requester === undefined ? null : { address: requester.refundAddress, thresholdSats: 0n }
}
