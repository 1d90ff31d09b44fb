import type { Payer } from '../../anchor/payer.ts'

/**
 * The treasury's own change as `txid:vout`: the output after the last paid one of every payment that was ever made, and
 * the one output of every child of such. A payout's other outputs are no change, whoever they pay.
 */
export function changeOutpoints(payer: Pick<Payer, 'payouts'>): ReadonlySet<string> {
  return new Set(
    payer
      .payouts()
      .flatMap(({ attempts, outputs }) =>
        attempts.map(({ txid, parent }) => `${txid}:${parent === null ? outputs.length : 0}`),
      ),
  )
}
