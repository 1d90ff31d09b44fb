import { utils } from '@scure/btc-signer'
import type { Outpoint } from '../../anchor/anchor-transaction.ts'
import { buildPayoutTransaction, type Payment } from '../../anchor/payout-transaction.ts'

/** A payout from coins of one key, signed with it. */
export function signedPayment(plan: {
  secretKey: Uint8Array
  inputs: readonly (Outpoint & { valueSats: bigint })[]
  outputs: readonly Payment[]
  changeScript: Uint8Array
  feeSats: bigint
}): ReturnType<typeof buildPayoutTransaction> & { raw: Uint8Array } {
  const { secretKey, inputs, ...rest } = plan
  const built = buildPayoutTransaction({
    ...rest,
    inputs: inputs.map((coin) => ({ ...coin, keyIndex: 0 })),
    keyAt: () => ({ internalKey: utils.pubSchnorr(secretKey), secretKey }),
  })
  if (built.raw === null) throw new Error('the only key is at hand')
  return { ...built, raw: built.raw }
}
