import type { Payer } from '../../anchor/payer.ts'

/**
 * The treasury's own change as `txid:vout`, with its satoshis: the output after the last paid one of every payment that was
 * ever made, and the one output of every child of such. A payout's other outputs are no change, whoever they pay.
 */
export function changeCoins(payer: Pick<Payer, 'payouts'>): ReadonlyMap<string, bigint> {
  return new Map(
    payer
      .payouts()
      .flatMap(({ attempts, outputs }) =>
        attempts.map(
          ({ txid, parent, changeSats }) =>
            [`${txid}:${parent === null ? outputs.length : 0}`, changeSats] as const,
        ),
      ),
  )
}
