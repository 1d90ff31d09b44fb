import { expect } from 'vitest'
import { sealScript } from '../../../anchor/commitment.ts'
import type { Coin } from '../../../anchor/payer.ts'
import type { Payment } from '../../../anchor/payout-transaction.ts'
import type { RegtestNode } from '../../../regtest/start-bitcoind.ts'
import { voidPayout } from '../../../src/client/payouts.ts'
import { depositKey } from '../../../src/keystore/derive-keys.ts'
import { signedPayment } from '../../anchor/signed-payment.ts'
import type { PayingRequester } from './paying-requester.ts'
import { type Site, TOKEN } from './site.ts'

/** The status and code by which `payout void` is refused, or null. */
export async function refusal(site: Site, payout: number): Promise<unknown> {
  return voidPayout({ url: site.url, token: TOKEN }, payout).then(
    () => null,
    ({ status, code }) => `${status} ${code}`,
  )
}

/** Opens the log and has one payout begun of what these want back, each of a deposit of its own. */
export async function beginPayoutOf(
  node: RegtestNode,
  site: Site,
  wanted: readonly (readonly [requester: PayingRequester, sats: bigint])[],
): Promise<void> {
  for (const [{ depositAddress }, sats] of wanted) await node.fund(depositAddress, sats)
  await site.begin(0)
  // Nothing is begun before the last of them is owed.
  site.house().payer.stop('a test', 0)
  for (const [requester, sats] of wanted) {
    expect((await requester.withdraw(`${sats * 1_000n}`)).status).toBe(202)
  }
  site.house().payer.resume()
  await site.coordinator().kick()
}

/** The coin's key, used elsewhere: it goes to `outputs`, the change to the treasury. */
export async function spendElsewhere(
  { rpc }: RegtestNode,
  site: Site,
  outputs: readonly Payment[],
  coin: Coin,
): Promise<string> {
  const { treasury, deposits } = site.keys
  const { secretKey } = coin.keyIndex === 0 ? treasury : depositKey(deposits, coin.keyIndex)
  const { txid, raw } = signedPayment({
    secretKey,
    inputs: [coin],
    outputs,
    changeScript: sealScript(treasury.internalKey, null),
    feeSats: 1_000n,
  })
  await rpc.call('sendrawtransaction', Buffer.from(raw).toString('hex'))
  return txid
}

/** Debits and credits of one entry, by their ids. */
export function transfersOf(site: Site, entryIndex: number) {
  const { db } = site.coordinator().books
  const select =
    'SELECT debit, credit, amount_msat FROM ledger_transfer WHERE entry_index = ? ORDER BY sequence'
  return db.prepare(select).raw().all(entryIndex)
}
