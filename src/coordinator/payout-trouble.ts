import { PayerError } from '../../anchor/payer-error.ts'

const JOIN_COINS =
  'lower payout.thresholdSats, payout.payeeCapSats and payout.runCapSats: each payout joins the coins that it spends into one'

/** What is in a payout's way, and the settings that help where there are any. */
export function sayTrouble(error: Error): string {
  const isHelped = error instanceof PayerError && error.code === 'coins_too_small'
  return isHelped ? `${error.message}: ${JOIN_COINS}` : error.message
}
