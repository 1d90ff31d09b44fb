import { afterAll, beforeAll, expect, test } from 'vitest'
import { type RegtestNode, startBitcoind } from '../../../regtest/start-bitcoind.ts'
import { replay } from '../../../src/replay/replay.ts'
import { recordLog } from '../replay/recorded-log.ts'
import { openRequester } from './paying-requester.ts'
import { worksOf } from './peer.ts'
import { BUDGET_MSAT, openSite, type Site } from './site.ts'

let node: RegtestNode
beforeAll(async () => {
  node = await startBitcoind()
})
afterAll(() => node.stop())

test('no coin leaves before the intent is final in an anchor, and change is no deposit', async () => {
  await using site = await openSite(node)
  const [worker, operator] = await site.begin(1)
  if (worker === undefined || operator === undefined) throw new Error('too few peers')
  await worksOf(worker.work())
  const seen = new Set<string>()
  // Epoch 0 ends with its sixth block; verdicts have 8 more, two make that final, and rewards mature in three.
  const maturityHeight = site.startHeight + 5 + 8 + 2 + 3
  await site.mineAudited([operator], 'the settled payout', () => {
    const [payout] = site.house().desks.payouts.list()
    const state = site.status().payouts[0]?.state ?? 'none'
    seen.add(state)
    const isMature = (site.coordinator().advancedTo() ?? 0) >= maturityHeight
    if (matured(site, operator.hex) > 0n !== isMature) throw new Error('rewards matured at another height')
    const intent = payout?.entryIndex ?? null
    const isFinal = intent !== null && site.anchored().firstFinal(intent) !== null
    if (!isFinal && !['none', 'planned', 'logged', 'pinned'].includes(state)) {
      throw new Error(`the payout is ${state} before its intent is final`)
    }
    return state === 'settled'
  })
  expect([...seen]).toEqual(expect.arrayContaining(['none', 'broadcast', 'confirmed', 'settled']))

  // Below the threshold: the auditor's share stays matured.
  const auditMsat = BUDGET_MSAT - (BUDGET_MSAT * 95n) / 100n
  expect(matured(site, operator.hex)).toBe(auditMsat)
  expect(await site.satsOnChain(operator.address)).toBe(0n)
  await site.mine(4)
  expect(site.status().payouts).toHaveLength(1)
  expect(site.coordinator().books.db.prepare('SELECT count(*) FROM deposit').pluck().get()).toBe(1n)
  expect(await site.reconcile()).toMatchObject({ ok: true })
})

test('payees beyond what one payout holds are paid by the next, everyone once', async () => {
  // No share of it is a whole number of satoshis.
  const flags = {
    'payout.maxPayees': '1',
    'payout.thresholdSats': '546',
    'payout.feeShareBasisPoints': '10000',
    'subsidy.initialMsat': '59999999',
  }
  await using site = await openSite(node, { flags })
  const [first, second, operator] = await site.begin(2)
  if (first === undefined || second === undefined || operator === undefined) throw new Error('too few peers')
  const peers = [first, second, operator]
  await worksOf(first.work())
  await worksOf(second.work())
  await site.mineAudited(peers, 'three payouts', () => {
    const { payouts } = site.status()
    return payouts.length === 3 && payouts.every(({ state }) => state === 'settled')
  })
  const paid: bigint[] = []
  for (const { address } of peers) paid.push(await site.satsOnChain(address))
  const left = peers.map(({ hex }) => matured(site, hex))
  const { accruedMsat } = site.status().epochs.find(({ number }) => number === 0) ?? { accruedMsat: 0n }
  // Whole satoshis are paid; what is left of one stays.
  expect(left.some((msat) => msat > 0n)).toBe(true)
  expect(left.every((msat) => msat < 1_000n)).toBe(true)
  expect(sum(paid) * 1_000n + sum(left)).toBe(accruedMsat)
})

test('a payout spends what requesters have deposited, and its change comes to the treasury', async () => {
  await using site = await openSite(node)
  const requester = await openRequester(site, 'acme')
  const deposit = await node.fund(requester.depositAddress, 3_000_000n)
  const [worker, operator] = await site.begin(1)
  if (worker === undefined || operator === undefined) throw new Error('too few peers')
  await worksOf(worker.work())
  await site.mineAudited(
    [operator],
    'the settled payout',
    () => site.status().payouts[0]?.state === 'settled',
  )
  expect(site.house().payer.payouts()[0]?.inputs).toMatchObject([{ ...deposit, keyIndex: 1 }])
  expect(await site.satsOnChain(requester.depositAddress)).toBe(0n)
  expect(await site.satsOnChain(worker.address)).toBe(57_000n)
  expect(await requester.balances()).toMatchObject({ availableMsat: 3_000_000_000n })
  await site.mine(site.config.epoch.finalDepth)
  expect(await site.reconcile()).toMatchObject({ ok: true })
  await site.anchorAll()
  await site.mine(site.config.epoch.finalDepth)
  expect((await replay(await recordLog(site, node))).first).toBeNull()
})

function matured(site: Site, worker: string): bigint {
  return site.coordinator().books.ledger.balance(`worker/${worker}/matured`).postedMsat
}

function sum(amounts: readonly bigint[]): bigint {
  return amounts.reduce((total, amount) => total + amount, 0n)
}
