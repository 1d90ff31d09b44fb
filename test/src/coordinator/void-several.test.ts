import { afterAll, beforeAll, expect, test } from 'vitest'
import { parseAddress } from '../../../anchor/address.ts'
import { sealScript } from '../../../anchor/commitment.ts'
import { newWorkerKey, publicKeyOf } from '../../../compute/work/worker-key.ts'
import { type RegtestNode, startBitcoind } from '../../../regtest/start-bitcoind.ts'
import { voidPayout } from '../../../src/client/payouts.ts'
import { txidBytes } from '../../../src/log/txid.ts'
import { balancesLeft } from '../../../src/replay/balances-left.ts'
import { replay, replayLog } from '../../../src/replay/replay.ts'
import { changeEntry } from '../replay/changed-log.ts'
import { entriesOf, inOrder, recordLog } from '../replay/recorded-log.ts'
import { beginPayoutOf, refusal, spendElsewhere, transfersOf } from './lost-coin.ts'
import { openRequester } from './paying-requester.ts'
import { openSite, TOKEN, TREASURY_SATS } from './site.ts'

let node: RegtestNode
beforeAll(async () => {
  node = await startBitcoind()
})
afterAll(() => node.stop())

test('several transactions that each took a coin of a payout are told, and counted, together', async () => {
  const capSats = '9000000'
  const flags = { 'payout.payeeCapSats': capSats, 'payout.runCapSats': capSats, 'payout.dayCapSats': capSats }
  await using site = await openSite(node, { flags })
  const acme = await openRequester(site, 'acme')
  const bolt = await openRequester(site, 'bolt')
  const wanted = [
    [acme, 2_500_000n],
    [bolt, 30_000n],
  ] as const
  await beginPayoutOf(node, site, wanted)
  const [pinned, other, ...others] = site.house().payer.payouts()[0]?.inputs ?? []
  if (pinned === undefined || other === undefined) throw new Error('two coins')
  expect([pinned.valueSats, other.valueSats, others]).toEqual([2_500_000n, TREASURY_SATS, []])

  const stranger = sealScript(publicKeyOf(newWorkerKey()), null)
  const first = await spendElsewhere(node, site, [{ script: stranger, valueSats: 1_000_000n }], pinned)
  await site.mine(site.config.epoch.finalDepth)
  const { script } = parseAddress(bolt.refundAddress, 'regtest')
  const second = await spendElsewhere(node, site, [{ script, valueSats: 30_000n }], other)
  expect(await refusal(site, 0)).toBe('409 spend_not_final')
  await site.mine(1)
  const height = Number(await node.rpc.call('getblockcount'))
  expect(await refusal(site, 0)).toBe('409 spend_not_final')
  await site.mine(1)
  const size = site.coordinator().books.log.size()
  const spends = [
    { txid: first, height: height - site.config.epoch.finalDepth },
    { txid: second, height },
  ]
  expect(await voidPayout({ url: site.url, token: TOKEN }, 0)).toEqual({
    payout: 0,
    spends,
    spentSats: `${2_500_000n + TREASURY_SATS}`,
    paid: [1],
    entryIndex: size,
  })
  await site.coordinator().kick()
  expect(transfersOf(site, size)).toEqual([
    ['payout/0', 'requester/acme', 2_500_000_000n],
    ['payout/0', 'treasury', 30_000_000n],
    ['lost', 'treasury', (2_500_000n + TREASURY_SATS - 30_000n) * 1_000n],
  ])
  expect(await site.reconcile()).toMatchObject({ ok: true, inconsistent: [] })
  await site.mineUntil('the next payout', () => site.status().payouts[1]?.state === 'settled')
  expect(await site.satsOnChain(acme.refundAddress)).toBe(2_500_000n)
  expect(await site.satsOnChain(bolt.refundAddress)).toBe(30_000n)
  expect(await site.reconcile()).toMatchObject({ ok: true, inconsistent: [] })
  // What requesters brought is paid; of the treasury's own all that is not left was stolen, or went to miners.
  const fees = 2_000n + (site.status().payouts[1]?.feeSats ?? 0n)
  expect(site.coordinator().books.ledger.balance('treasury').postedMsat).toBe(
    (TREASURY_SATS - 1_000_000n - fees) * 1_000n,
  )
  await site.anchorAll()
  await site.mine(site.config.epoch.finalDepth)

  const log = await recordLog(site, node)
  expect((await replay(log)).first).toBeNull()
  expect((await replay({ ...log, chain: { ...log.chain, node: null } })).first).toBeNull()
  // Closed before the void was logged, it counts what was spent up to the block in which the pinned coin was.
  const before = (await entriesOf(log)).slice(0, size)
  const swapped = new Map(spends.map((spend, i) => [spend.height, spends[1 - i]?.height]))
  const chain = log.chain.node
  if (chain === null) throw new Error('recorded with a node')
  const blockAt = (at: number) => chain.blockAt(swapped.get(at) ?? at)
  const bolts = { requester: 'bolt', msat: 30_000_000n }
  for (const [source, owed, isLeft] of [
    [chain, [bolts], true],
    [{ ...chain, blockAt }, [], false],
  ] as const) {
    const { state } = await replayLog({ ...log, claims: null, entries: () => inOrder(before) })
    if (state === null) throw new Error('a log')
    const { requesters, coins } = await balancesLeft(state, source)
    expect(requesters).toEqual([{ requester: 'acme', msat: 2_500_000_000n }, ...owed])
    expect(coins.some(({ sats }) => sats === TREASURY_SATS)).toBe(isLeft)
  }

  const blockHash = await node.rpc.call('getblockhash', height)
  const [coinbase] = Object(await node.rpc.call('getblock', blockHash)).tx
  const [one, two] = spends.map(({ txid, height }) => ({ txid: txidBytes(txid), height }))
  if (one === undefined || two === undefined) throw new Error('two spends')
  for (const [rule, code, change] of [
    ['payments', 'spent_mismatch', { spends: [two] }],
    ['payments', 'paid_mismatch', { spends: [one] }],
    ['payments', 'spend_missing', { spends: [one, { ...two, height: one.height }] }],
    ['payments', 'input_not_treasury', { spends: [one, two, { ...two, txid: txidBytes(coinbase) }] }],
    ['payouts', 'void_early', { spends: [{ ...one, height: one.height + 1_000 }, two] }],
  ] as const) {
    const { source } = await changeEntry(log, 'void', (entry) => ({
      ...entry,
      ...change,
      spends: [...change.spends],
    }))
    const { rules } = await replay(source)
    expect(rules.find(({ name }) => name === rule)?.first, code).toMatchObject({ code, entry: size })
  }
})
