import { parseAddress } from '../../anchor/address.ts'
import type { TreasuryCoin } from '../../anchor/payout-transaction.ts'
import { payees, type Treasury } from './payer-treasury.ts'
import { signedPayment } from './signed-payment.ts'

/** Of two coins, as tests of a payout that is given up fund them. */
export const PAID = payees(100_000n, 50_000n)

/** Whoever has the key besides the payer sends the coin elsewhere. */
export function foreignSpend(
  { secretKey, address }: Treasury,
  coin: TreasuryCoin,
): { txid: string; hex: string } {
  const [elsewhere] = payees(40_000n)
  const { txid, raw } = signedPayment({
    secretKey,
    inputs: [coin],
    outputs: [{ script: parseAddress(elsewhere?.address ?? '', 'regtest').script, valueSats: 40_000n }],
    changeScript: parseAddress(address, 'regtest').script,
    feeSats: 1_000n,
  })
  return { txid, hex: Buffer.from(raw).toString('hex') }
}

/** What must not be said of a payout. */
export const never = () => {
  throw new Error('it was given up')
}
