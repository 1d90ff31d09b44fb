import type { Payer } from '../../anchor/payer.ts'

/**
 * The treasury's own change as `txid:vout`: the output after the last paid one of every signed payout. A payout's other
 * outputs are no change, whoever they pay.
 */
export function changeOutpoints(payer: Pick<Payer, 'payouts'>): ReadonlySet<string> {
  return new Set(
    payer.payouts().flatMap(({ txid, outputs }) => (txid === null ? [] : [`${txid}:${outputs.length}`])),
  )
}
