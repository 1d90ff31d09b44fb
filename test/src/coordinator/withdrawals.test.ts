import { afterAll, beforeAll, expect, test } from 'vitest'
import { type RegtestNode, startBitcoind } from '../../../regtest/start-bitcoind.ts'
import type { Entry } from '../../../src/log/entry.ts'
import type { Payee } from '../../../src/log/payees.ts'
import { replay } from '../../../src/replay/replay.ts'
import { changeEntry, changePayees, without } from '../replay/changed-log.ts'
import { recordLog } from '../replay/recorded-log.ts'
import { ask, leaseOne, openRequester } from './paying-requester.ts'
import { createPeer } from './peer.ts'
import { openSite, TREASURY_SATS } from './site.ts'
import { tinyMarket } from './tiny-market.ts'

const DEPOSIT_SATS = 3_000_000n
const BACK_SATS = 2_900_000n
/** 400 units at 1,000 msat. */
const MARKET = tinyMarket({
  dataset: null,
  price: 10n ** 18n,
  models: tinyMarket().models.map((model) => ({ ...model, unitsPerItem: 400 })),
})
const LIMITS = {
  'payout.payeeCapSats': '10000000',
  'payout.runCapSats': '10000000',
  'payout.dayCapSats': '20000000',
}

let node: RegtestNode
beforeAll(async () => {
  node = await startBitcoind()
})
afterAll(() => node.stop())

test('a deposit is paid back to the refund address, once, and anybody can check that it went there', async () => {
  await using site = await openSite(node, { flags: LIMITS })
  const requester = await openRequester(site, 'acme')
  await node.fund(requester.depositAddress, DEPOSIT_SATS)
  await site.begin(0)
  // More than the treasury's own coin: the deposit's is needed.
  expect(BACK_SATS).toBeGreaterThan(TREASURY_SATS)
  const answer = await requester.withdraw(`${BACK_SATS * 1_000n}`)
  expect(answer.status).toBe(202)
  expect(await answer.json()).toMatchObject({
    refundAddress: requester.refundAddress,
    withdrawingMsat: '2900000000',
  })
  await site.reopen()
  await site.mineUntil('the settled payout', () => site.status().payouts[0]?.state === 'settled')
  await site.mine(4)
  expect(site.status().payouts).toHaveLength(1)
  expect(await site.satsOnChain(requester.refundAddress)).toBe(BACK_SATS)
  expect(await requester.balances()).toEqual({
    balanceMsat: 100_000_000n,
    reservedMsat: 0n,
    withdrawingMsat: 0n,
    availableMsat: 100_000_000n,
  })
  expect(await site.reconcile()).toMatchObject({ ok: true })
  await site.anchorAll()
  await site.mine(site.config.epoch.finalDepth)

  const log = await recordLog(site, node)
  expect((await replay(log)).first).toBeNull()
  const elsewhere = createPeer(site).address
  const changed = async (change: (payee: Payee) => Payee) =>
    (await changePayees(log, (payees) => payees.map(change))).source
  const otherRefund = await changeEntry(log, 'requester', (entry) => ({ ...entry, refund: elsewhere }))
  const isDeposit = (entry: Entry) => entry.kind === 'deposit' && entry.account !== 'reserve'
  for (const [code, source] of [
    ['payee_address_mismatch', await changed((payee) => ({ ...payee, address: elsewhere }))],
    ['payee_address_mismatch', await changed((payee) => ({ ...payee, account: 'requester/nobody' }))],
    ['payee_address_mismatch', otherRefund.source],
    ['payee_not_owed', await changed((payee) => ({ ...payee, sats: DEPOSIT_SATS + 1n }))],
    ['payee_not_owed', await without(log, isDeposit)],
  ] as const) {
    expect((await replay(source)).first, code).toMatchObject({ rule: 'payouts', code })
  }
})

test('what is asked back can not be spent, nor what is spent asked back, and the last wish counts', async () => {
  await using site = await openSite(node, { subnets: [MARKET] })
  const requester = await openRequester(site, 'acme')
  await node.fund(requester.depositAddress, 20_000n)
  const [worker] = await site.begin(1)
  if (worker === undefined) throw new Error('too few peers')
  const refused = async (response: Response) => `${response.status} ${Object(await response.json()).code}`
  const accounts = site.coordinator().books.ledger.accounts()
  for (const msat of [5_000_000, '-1', '05', '1.5', '', '5000000 ']) {
    expect(await refused(await requester.withdraw(msat))).toBe('400 body_malformed')
  }
  expect(await refused(await requester.withdraw('5000001'))).toBe('400 withdrawal_malformed')
  expect(await refused(await requester.withdraw('4999000'))).toBe('400 withdrawal_below_threshold')
  expect(await refused(await requester.withdraw('20001000'))).toBe('409 insufficient_funds')
  const other = await openRequester(site, 'other')
  expect(await refused(await requester.withdraw('5000000', other.authorization))).toBe('401 api_key_unknown')
  expect(await refused(await requester.withdraw('5000000', `Bearer ${'00'.repeat(32)}`))).toBe(
    '401 api_key_unknown',
  )
  expect(site.everyRow()).toMatchObject({ withdrawal: [] })
  expect(site.coordinator().books.ledger.accounts()).toEqual(accounts)

  // Otherwise a payout would take it at once.
  site.house().payer.stop('a test', Date.now())
  const asked = requester.ask(1)
  await leaseOne(worker)
  expect(await refused(await requester.withdraw('20000000'))).toBe('409 insufficient_funds')
  expect((await requester.withdraw('19000000')).status).toBe(202)
  expect((await requester.withdraw('19600000')).status).toBe(202)
  expect(await requester.balances()).toMatchObject({ withdrawingMsat: 19_600_000n, availableMsat: 0n })
  const broke = await ask(site, 2, { authorization: requester.authorization })
  expect(await refused(broke)).toBe('402 insufficient_funds')
  expect((await requester.withdraw('0')).status).toBe(202)
  expect(await requester.balances()).toMatchObject({ withdrawingMsat: 0n, availableMsat: 19_600_000n })
  site.house().payer.resume()
  await site.mine(2)
  expect(site.status().payouts).toEqual([])
  site.house().desks.requests.close()
  await asked
})

test('a wish above the limit of one payee is met by several payouts, and what no payout would pay is left to be spent', async () => {
  const flags = {
    'payout.payeeCapSats': '8000',
    'payout.runCapSats': '8000',
    'payout.feeShareBasisPoints': '10000',
  }
  await using site = await openSite(node, { flags })
  const requester = await openRequester(site, 'acme')
  await node.fund(requester.depositAddress, 30_000n)
  await site.begin(0)
  expect((await requester.withdraw('20000000')).status).toBe(202)
  await site.mineUntil('two payouts', () => {
    const { payouts } = site.status()
    return payouts.length === 2 && payouts.every(({ state }) => state === 'settled')
  })
  await site.mine(4)
  expect(site.status().payouts).toHaveLength(2)
  expect(await site.satsOnChain(requester.refundAddress)).toBe(16_000n)
  expect(await requester.balances()).toMatchObject({ withdrawingMsat: 0n, availableMsat: 14_000_000n })
  expect(await site.reconcile()).toMatchObject({ ok: true })
})
