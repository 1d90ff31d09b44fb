import { randomBytes } from 'node:crypto'
import { utils } from '@scure/btc-signer'
import { sealScript } from '../../anchor/commitment.ts'
import type { Node } from '../../anchor/node.ts'
import type { PayoutRecord } from '../../anchor/payout-record.ts'
import { taprootAddress } from '../../anchor/taproot-address.ts'
import { paymentOf } from './payer-treasury.ts'
import { signedPayment } from './signed-payment.ts'

const PAYEE_KEY = randomBytes(32)

/** Of a payee that can spend what it gets. */
export const PAYEE = taprootAddress(utils.pubSchnorr(PAYEE_KEY), 'regtest')

/** What `PAYEE` makes of the 200,000 sat that the payment's first output gives it. @returns its txid */
export async function spendAsPayee(record: PayoutRecord, feeSats: bigint, node: Node): Promise<string> {
  const { raw, txid } = signedPayment({
    secretKey: PAYEE_KEY,
    inputs: [{ txid: paymentOf(record).txid, vout: 0, valueSats: 200_000n }],
    outputs: [],
    changeScript: sealScript(utils.pubSchnorr(PAYEE_KEY), null),
    feeSats,
  })
  const outcome = await node.send(raw)
  if (outcome.kind !== 'accepted') throw new Error(`the payee's coin is not spent: ${outcome.kind}`)
  return txid
}
