import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sealScript } from '../../../anchor/commitment.ts'
import { newWorkerKey, publicKeyOf } from '../../../compute/work/worker-key.ts'
import { type RegtestNode, startBitcoind } from '../../../regtest/start-bitcoind.ts'
import { voidPayout } from '../../../src/client/payouts.ts'
import { readStatement } from '../../../src/client/read-statement.ts'
import { renderConfig } from '../../../src/config/render-config.ts'
import { encodeEntry } from '../../../src/log/entry.ts'
import { txidBytes } from '../../../src/log/txid.ts'
import { replay } from '../../../src/replay/replay.ts'
import { signedPayment } from '../../anchor/signed-payment.ts'
import { runCli } from '../cli/run-cli.ts'
import { scrape } from '../metrics/scrape.ts'
import { changeEntry } from '../replay/changed-log.ts'
import { entriesOf, inOrder, recordLog } from '../replay/recorded-log.ts'
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

/** The status and code by which `payout void` is refused, or null. */
async function refusal(site: Site, payout: number): Promise<unknown> {
  return voidPayout({ url: site.url, token: TOKEN }, payout).then(
    () => null,
    ({ status, code }) => `${status} ${code}`,
  )
}

/** The treasury's key, used elsewhere: the coin that the payout pinned goes to somebody else, the change back. */
async function spendElsewhere(site: Site): Promise<string> {
  const [coin] = site.house().payer.payouts().at(-1)?.inputs ?? []
  if (coin === undefined) throw new Error('nothing is pinned')
  expect(coin).toMatchObject({ valueSats: TREASURY_SATS, keyIndex: 0 })
  const { treasury } = site.keys
  const { txid, raw } = signedPayment({
    secretKey: treasury.secretKey,
    inputs: [coin],
    outputs: [{ script: sealScript(publicKeyOf(newWorkerKey()), null), valueSats: STOLEN_SATS }],
    changeScript: sealScript(treasury.internalKey, null),
    feeSats: 1_000n,
  })
  await node.rpc.call('sendrawtransaction', Buffer.from(raw).toString('hex'))
  return txid
}

/** Debits and credits of one entry, by their ids. */
function transfersOf(site: Site, entryIndex: number) {
  return site
    .coordinator()
    .books.db.prepare(
      'SELECT debit, credit, amount_msat FROM ledger_transfer WHERE entry_index = ? ORDER BY sequence',
    )
    .raw()
    .all(entryIndex)
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

  const txid = await spendElsewhere(site)
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
  expect(await refusal(site, 0)).toBe('500 internal')
  expect(site.everyRow()).toEqual(rows)
  quarantine.run(0, `worker/${worker.hex}/matured`)

  const configFile = join(site.config.dataDir, 'assay.toml')
  writeFileSync(configFile, renderConfig(site.config))
  writeFileSync(join(site.config.dataDir, 'operator-token'), TOKEN)
  const size = site.coordinator().books.log.size()
  const said = await runCli('payout', 'void', '0', '--config', configFile, '--url', site.url, '--json')
  expect(JSON.parse(said.stdout)).toEqual({
    payout: 0,
    txid,
    height,
    lostSats: `${TREASURY_SATS}`,
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
  const payment = { txid: txidBytes(paidTxid ?? ''), height: paidHeight ?? -1 }
  for (const [rule, code, change] of [
    ['payments', 'spend_missing', { txid: payment.txid }],
    ['payments', 'spend_missing', { height: height - 1 }],
    ['payments', 'input_not_pinned', payment],
    ['payments', 'lost_mismatch', { lostSats: TREASURY_SATS - 1n }],
    ['payouts', 'void_early', { height: height + 1_000 }],
    ['payouts', 'payout_not_open', { payout: 1 }],
  ] as const) {
    const { source } = await changeEntry(log, 'void', (entry) => ({ ...entry, ...change }))
    const { ok, rules } = await replay(source)
    expect(ok).toBe(false)
    expect(rules.find(({ name }) => name === rule)?.first, code).toMatchObject({ code, entry: size })
  }
  // A payout that was made, given up after all.
  const again = encodeEntry({ v: 1, kind: 'void', payout: 1, ...payment, lostSats: 0n })
  const entries = [...(await entriesOf(log)), again]
  const twice = await replay({ ...log, claims: null, entries: () => inOrder(entries) })
  expect(twice.rules.find(({ name }) => name === 'payments')?.first).toMatchObject({
    code: 'voided_payment',
    entry: entries.length - 1,
  })
})
