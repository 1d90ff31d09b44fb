import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parseAddress } from '../../../anchor/address.ts'
import { sealScript } from '../../../anchor/commitment.ts'
import type { Coin } from '../../../anchor/payer.ts'
import { newWorkerKey, publicKeyOf } from '../../../compute/work/worker-key.ts'
import { type RegtestNode, startBitcoind } from '../../../regtest/start-bitcoind.ts'
import { readPayoutPlan, voidPayout } from '../../../src/client/payouts.ts'
import { readStatement } from '../../../src/client/read-statement.ts'
import { renderConfig } from '../../../src/config/render-config.ts'
import { encodeEntry } from '../../../src/log/entry.ts'
import { txidBytes } from '../../../src/log/txid.ts'
import { balancesLeft } from '../../../src/replay/balances-left.ts'
import { replay, replayLog } from '../../../src/replay/replay.ts'
import { runCli } from '../cli/run-cli.ts'
import { scrape } from '../metrics/scrape.ts'
import { changeEntry } from '../replay/changed-log.ts'
import { entriesOf, inOrder, recordLog } from '../replay/recorded-log.ts'
import { beginPayoutOf, refusal, spendElsewhere, transfersOf } from './lost-coin.ts'
import { openRequester } from './paying-requester.ts'
import { worksOf } from './peer.ts'
import { openSite, type Site, TOKEN, TREASURY_SATS } from './site.ts'

const DEPOSIT_SATS = 30_000n
const BACK_SATS = 20_000n
/** What the one worker earns in epoch 0. */
const EARNED_SATS = 57_000n
const STOLEN_SATS = 1_700_000n

let node: RegtestNode
beforeAll(async () => {
  node = await startBitcoind()
})
afterAll(() => node.stop())

/** The coin that the payout pinned. */
function pinnedOf(site: Site): Coin {
  const [coin] = site.house().payer.payouts().at(-1)?.inputs ?? []
  if (coin === undefined) throw new Error('nothing is pinned')
  expect(coin).toMatchObject({ valueSats: TREASURY_SATS, keyIndex: 0 })
  return coin
}

test('a payout whose coin is spent elsewhere is given up for good, and the next one pays everybody once', async () => {
  const capSats = `${EARNED_SATS + BACK_SATS}`
  // What was not paid counts against no day.
  const flags = { 'payout.payeeCapSats': capSats, 'payout.runCapSats': capSats, 'payout.dayCapSats': capSats }
  await using site = await openSite(node, { flags })
  const requester = await openRequester(site, 'acme')
  await node.fund(requester.depositAddress, DEPOSIT_SATS)
  const [worker, operator] = await site.begin(1)
  if (worker === undefined || operator === undefined) throw new Error('too few peers')
  await worksOf(worker.work())
  // One payout of both: nothing is begun before the last of them is owed.
  site.house().payer.stop('a test', 0)
  const matured = () => site.status().workers.find((one) => one.worker === worker.hex)?.maturedMsat
  await site.mineAudited([operator], 'the rewards', () => matured() === EARNED_SATS * 1_000n)
  expect((await requester.withdraw(`${BACK_SATS * 1_000n}`)).status).toBe(202)
  site.house().payer.resume()
  await site.coordinator().kick()
  expect(site.status().payouts).toMatchObject([{ state: 'pinned', totalSats: EARNED_SATS + BACK_SATS }])
  expect(await refusal(site, 1)).toBe('404 payout_unknown')
  expect(await refusal(site, 0)).toBe('409 input_unspent')

  const stranger = sealScript(publicKeyOf(newWorkerKey()), null)
  const stolen = [{ script: stranger, valueSats: STOLEN_SATS }]
  const txid = await spendElsewhere(node, site, stolen, pinnedOf(site))
  expect(await refusal(site, 0)).toBe('409 input_unspent')
  await site.mine(1)
  const height = Number(await node.rpc.call('getblockcount'))
  expect(await refusal(site, 0)).toBe('409 spend_not_final')
  await site.mineUntil('the intent', () => site.status().payoutTrouble !== null)
  const trouble = expect.stringMatching(new RegExp(`${txid}.*assay payout void`))
  expect(site.status()).toMatchObject({ payoutTrouble: trouble, payouts: [{ state: 'pinned', trouble }] })
  expect((await scrape(site.coordinator())).samples.get('assay_payouts_troubled')).toBe(1)
  expect(await site.reconcile()).toMatchObject({
    ok: false,
    rows: [{ what: 'treasury', ok: false }, {}, {}, {}],
  })

  // What can't be booked whole isn't booked at all.
  const { db } = site.coordinator().books
  const quarantine = db.prepare('UPDATE ledger_account SET quarantined = ? WHERE name = ?')
  quarantine.run(1, `worker/${worker.hex}/matured`)
  const rows = site.everyRow()
  expect(await refusal(site, 0)).toBe('409 account_quarantined')
  expect(site.everyRow()).toEqual(rows)
  quarantine.run(0, `worker/${worker.hex}/matured`)

  const configFile = join(site.config.dataDir, 'assay.toml')
  writeFileSync(configFile, renderConfig(site.config))
  writeFileSync(join(site.config.dataDir, 'operator-token'), TOKEN)
  const size = site.coordinator().books.log.size()
  const said = await runCli('payout', 'void', '0', '--config', configFile, '--url', site.url, '--json')
  expect(JSON.parse(said.stdout)).toEqual({
    payout: 0,
    spends: [{ txid, height }],
    spentSats: `${TREASURY_SATS}`,
    paid: [],
    entryIndex: size,
  })
  expect(await refusal(site, 0)).toBe('409 payout_closed')
  await site.coordinator().kick()
  expect(await site.reconcile()).toMatchObject({ ok: true, inconsistent: [] })
  expect(transfersOf(site, size)).toEqual([
    ['payout/0', 'requester/acme', BACK_SATS * 1_000n],
    ['payout/0', `worker/${worker.hex}/matured`, EARNED_SATS * 1_000n],
    ['lost', 'treasury', TREASURY_SATS * 1_000n],
  ])
  // The next intent has taken everything again.
  expect(site.status().payouts).toMatchObject([
    { state: 'voided', txid: null, trouble: null },
    { state: 'pinned', totalSats: EARNED_SATS + BACK_SATS },
  ])

  await site.mineUntil('the payment', () => site.status().payouts[1]?.state === 'broadcast')
  expect(await refusal(site, 1)).toBe('409 input_unspent')
  await node.mine(1)
  expect(await refusal(site, 1)).toBe('409 spend_not_final')
  await node.mine(1)
  expect(await refusal(site, 1)).toBe('409 spend_is_payment')
  await site.coordinator().kick()
  expect(await refusal(site, 1)).toBe('409 payout_closed')
  await site.mine(4)
  expect(site.status().payouts.map(({ state }) => state)).toEqual(['voided', 'settled'])
  expect(await site.satsOnChain(worker.address)).toBe(EARNED_SATS)
  expect(await site.satsOnChain(requester.refundAddress)).toBe(BACK_SATS)
  expect(site.status().workers.find((one) => one.worker === worker.hex)).toMatchObject({
    maturedMsat: 0n,
    paidMsat: EARNED_SATS * 1_000n,
  })
  const { payouts } = await readStatement(site.url, worker.hex, 0)
  expect(payouts).toMatchObject([{ payout: 1, msat: `${EARNED_SATS * 1_000n}` }])
  expect(await requester.balances()).toMatchObject({ balanceMsat: 10_000_000n, withdrawingMsat: 0n })
  expect(await site.reconcile()).toMatchObject({ ok: true, inconsistent: [] })
  await site.anchorAll()
  await site.mine(site.config.epoch.finalDepth)

  const log = await recordLog(site, node)
  expect((await replay(log)).first).toBeNull()
  const blind = { ...log, chain: { ...log.chain, node: null } }
  expect((await replay(blind)).first).toBeNull()
  const { txid: paidTxid, height: paidHeight } = log.claims?.payments.get(1) ?? {}
  const named = (txid: string, height: number) => ({ spends: [{ txid: txidBytes(txid), height }] })
  const payment = named(paidTxid ?? '', paidHeight ?? -1)
  const blockHash = await node.rpc.call('getblockhash', height)
  const [coinbase] = Object(await node.rpc.call('getblock', blockHash)).tx
  for (const [rule, code, change] of [
    ['payments', 'spend_missing', named(paidTxid ?? '', height)],
    ['payments', 'spend_missing', named(txid, height - 1)],
    ['payments', 'input_not_treasury', named(coinbase, height)],
    ['payments', 'paid_mismatch', payment],
    ['payments', 'spent_mismatch', { spentSats: TREASURY_SATS - 1n }],
    ['payments', 'paid_mismatch', { paid: Array.of(0) }],
    ['payouts', 'payee_unknown', { paid: Array.of(2) }],
    ['payouts', 'void_early', named(txid, height + 1_000)],
    ['payouts', 'payout_not_open', { payout: 1 }],
  ] as const) {
    const { source } = await changeEntry(log, 'void', (entry) => ({ ...entry, ...change }))
    const { ok, rules } = await replay(source)
    expect(ok).toBe(false)
    expect(rules.find(({ name }) => name === rule)?.first, code).toMatchObject({ code, entry: size })
  }
  // A payout that was made, given up after all.
  const inputs = site.house().payer.payouts()[1]?.inputs ?? []
  const spentSats = inputs.reduce((sum, { valueSats }) => sum + valueSats, 0n)
  for (const [code, said] of [
    ['paid_mismatch', { spentSats: 0n, paid: [] }],
    ['voided_payment', { spentSats, paid: [0, 1] }],
  ] as const) {
    const again = encodeEntry({ v: 1, kind: 'void', payout: 1, ...payment, ...said, paid: [...said.paid] })
    const entries = [...(await entriesOf(log)), again]
    const twice = await replay({ ...log, claims: null, entries: () => inOrder(entries) })
    expect(twice.rules.find(({ name }) => name === 'payments')?.first).toMatchObject({
      code,
      entry: entries.length - 1,
    })
  }
})

test('whom a payment by hand pays is not paid again; the others are owed, and nobody lost a turn', async () => {
  // Two of the three at a time.
  const capSats = '40000'
  const flags = {
    'payout.payeeCapSats': capSats,
    'payout.runCapSats': capSats,
    // What all three get, but for one satoshi.
    'payout.dayCapSats': '69999',
  }
  await using site = await openSite(node, { flags })
  const acme = await openRequester(site, 'acme')
  const bolt = await openRequester(site, 'bolt', acme.refundAddress)
  const cora = await openRequester(site, 'cora')
  const wanted = [
    [acme, 20_000n],
    [bolt, 20_000n],
    [cora, 30_000n],
  ] as const
  await beginPayoutOf(node, site, wanted)
  expect(site.status().payouts).toMatchObject([{ state: 'pinned', totalSats: 40_000n }])

  // The change comes first, and one of two payments alike is left out.
  const { script } = parseAddress(acme.refundAddress, 'regtest')
  const back = sealScript(site.keys.treasury.internalKey, null)
  const byHand = [
    { script: back, valueSats: 1_000_000n },
    { script, valueSats: 20_000n },
  ]
  const txid = await spendElsewhere(node, site, byHand, pinnedOf(site))
  await site.mine(site.config.epoch.finalDepth)
  const { payouts } = site.house().desks
  const rows = site.everyRow()
  const halted = () => {
    throw new Error('the log has come to a halt')
  }
  await expect(payouts.voidOpen(0, halted)).rejects.toThrow('come to a halt')
  expect(site.everyRow()).toEqual(rows)
  const size = site.coordinator().books.log.size()
  expect(await voidPayout({ url: site.url, token: TOKEN }, 0)).toMatchObject({
    spends: [{ txid }],
    spentSats: `${TREASURY_SATS}`,
    paid: [0],
    entryIndex: size,
  })
  await site.coordinator().kick()
  expect(await site.reconcile()).toMatchObject({ ok: true, inconsistent: [] })
  expect(transfersOf(site, size)).toEqual([
    ['payout/0', 'requester/bolt', 20_000_000n],
    ['payout/0', 'treasury', 20_000_000n],
    ['lost', 'treasury', (TREASURY_SATS - 20_000n) * 1_000n],
  ])
  expect(await acme.balances()).toMatchObject({ balanceMsat: 0n, withdrawingMsat: 0n })
  // After bolt, cora no longer fits: had the void one counted, it would be hers now.
  expect(site.status().payouts).toMatchObject([
    { state: 'voided', paidSats: 20_000n },
    { state: 'pinned', totalSats: 20_000n, paidSats: 0n },
  ])
  await site.mineUntil('the second payout', () => site.status().payouts[1]?.state === 'settled')
  // What was paid by hand counts against that day.
  await site.mine(1)
  expect(site.status().payouts.map(({ paidSats }) => paidSats)).toEqual([20_000n, 20_000n])
  const { held } = await readPayoutPlan({ url: site.url, token: TOKEN })
  expect(held).toMatchObject([{ account: 'requester/cora', reason: 'day_cap' }])
  await node.mine(144)
  await site.mineUntil('the settled payouts', () =>
    ['voided', 'settled', 'settled'].every((state, i) => site.status().payouts[i]?.state === state),
  )
  expect(await site.satsOnChain(acme.refundAddress)).toBe(40_000n)
  expect(await site.satsOnChain(cora.refundAddress)).toBe(30_000n)
  expect(await site.reconcile()).toMatchObject({ ok: true, inconsistent: [] })
  const { db } = site.coordinator().books
  expect(db.prepare('SELECT account, msat FROM paid ORDER BY sequence').raw().all()).toEqual(
    wanted.map(([{ requester }, sats]) => [`requester/${requester}`, sats * 1_000n]),
  )
  await site.anchorAll()
  await site.mine(site.config.epoch.finalDepth)

  const log = await recordLog(site, node)
  expect((await replay(log)).first).toBeNull()
  expect((await replay({ ...log, chain: { ...log.chain, node: null } })).first).toBeNull()
  for (const paid of [[], [1], [0, 1]]) {
    const { source } = await changeEntry(log, 'void', (entry) => ({ ...entry, paid }))
    const { rules } = await replay(source)
    const { first } = rules.find(({ name }) => name === 'payments') ?? {}
    expect(first, `${paid}`).toMatchObject({ code: 'paid_mismatch', entry: size })
  }
  // Closed before the void was logged, it leaves the same debts.
  const before = (await entriesOf(log)).slice(0, size)
  const { state } = await replayLog({ ...log, claims: null, entries: () => inOrder(before) })
  if (state === null || log.chain.node === null) throw new Error('recorded with a node')
  const { requesters, coins } = await balancesLeft(state, log.chain.node)
  expect(requesters).toEqual([
    { requester: 'bolt', msat: 20_000_000n },
    { requester: 'cora', msat: 30_000_000n },
  ])
  // The payment and its fee are gone, and no coin that is spent is left.
  const leftSats = coins.reduce((sum, { sats }) => sum + sats, 0n)
  expect(leftSats).toBe(TREASURY_SATS + 70_000n - 21_000n)
})
