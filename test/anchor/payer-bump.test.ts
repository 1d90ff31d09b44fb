import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Node } from '../../anchor/node.ts'
import type { Payer } from '../../anchor/payer.ts'
import type { PayoutRecord } from '../../anchor/payout-record.ts'
import { type RegtestNode, startBitcoind } from '../../regtest/start-bitcoind.ts'
import { copyOf, mempool, mineEmpty, openDatabase, youngNode } from './anchor-site.ts'
import { floodMempool } from './flood-mempool.ts'
import { PAYEE, spendAsPayee } from './payee-spend.ts'
import { onlyPayout, openTreasury, payees, paymentOf, type Treasury } from './payer-treasury.ts'

let bitcoind: RegtestNode
let node: Node
beforeAll(async () => {
  bitcoind = await startBitcoind()
  node = youngNode(bitcoind.rpc)
})
afterAll(() => bitcoind?.stop())

const TARGET_BLOCKS = 6

/** Broadcast, paying `PAYEE` 200,000 sat first, and then another. */
async function sent(payer: Payer): Promise<PayoutRecord> {
  await payer.pin('a', 210_000n)
  await payer.prepare('a', [{ address: PAYEE, valueSats: 200_000n }, ...payees(10_000n)])
  await payer.advance()
  expect(await mempool(bitcoind)).toEqual([paymentOf(onlyPayout(payer)).txid])
  return onlyPayout(payer)
}

async function waitEmptyBlocks(payer: Payer, blocks = TARGET_BLOCKS): Promise<void> {
  for (let block = 0; block < blocks; block += 1) {
    await mineEmpty(bitcoind)
    await payer.advance()
  }
}

/** A payment with a child, and the books as they were before there was one. */
async function bumpedSinceBackup(treasury: Treasury) {
  const db = openDatabase(':memory:')
  const payer = treasury.open({ db })
  await spendAsPayee(await sent(payer), 100_000n, node)
  const restored = treasury.open({ db: copyOf(db) })
  await waitEmptyBlocks(payer)
  return { restored, ...onlyPayout(payer) }
}

async function settle(payer: Payer): Promise<PayoutRecord> {
  for (let block = 0; block < 3; block += 1) {
    await bitcoind.mine(1)
    await payer.advance()
  }
  const record = onlyPayout(payer)
  expect(record.state).toBe('settled')
  return record
}

/** Nothing came from nowhere: what was spent is what was paid, the fees, and the change that is left in the chain. */
async function expectWhole({ inputs, outputs, payment, child, feeSats }: PayoutRecord): Promise<void> {
  const left =
    child === null ? { txid: payment?.txid ?? '', vout: outputs.length } : { txid: child.txid, vout: 0 }
  const coin = await node.txOut(left, { mempool: false })
  const spent = inputs.reduce((sum, { valueSats }) => sum + valueSats, 0n)
  const paid = outputs.reduce((sum, { valueSats }) => sum + valueSats, 0n)
  expect(spent).toBe(paid + feeSats + (coin?.valueSats ?? 0n))
}

describe('a payout that is not mined in time', () => {
  it('is replaced by one that spends the same coins and pays the same list, and not before its time', async () => {
    using treasury = await openTreasury(bitcoind, 300_000n)
    const payer = treasury.open()
    const first = await sent(payer)
    await waitEmptyBlocks(payer, TARGET_BLOCKS - 1)
    expect(onlyPayout(payer).attempts).toHaveLength(1)
    await waitEmptyBlocks(payer, 1)
    const second = onlyPayout(payer)
    expect(second.attempts).toHaveLength(2)
    expect(second).toMatchObject({
      state: 'broadcast',
      child: null,
      inputs: first.inputs,
      outputs: first.outputs,
    })
    expect(second.feeSats).toBeGreaterThan(first.feeSats)
    expect(await mempool(bitcoind)).toEqual([paymentOf(second).txid])
    // Asked again at the same tip, and by a payer that was opened anew, it stays as it is.
    await payer.advance()
    await treasury.open().advance()
    expect(onlyPayout(payer).attempts).toHaveLength(2)
    const settled = await settle(treasury.open())
    expect(settled.payment?.txid).toBe(second.payment?.txid)
    await expectWhole(settled)
  })

  it('is the older one, where that is mined after all', async () => {
    using treasury = await openTreasury(bitcoind, 300_000n)
    const payer = treasury.open()
    const first = paymentOf(await sent(payer))
    await waitEmptyBlocks(payer)
    expect(await mempool(bitcoind)).toEqual([paymentOf(onlyPayout(payer)).txid])
    expect(paymentOf(onlyPayout(payer)).txid).not.toBe(first.txid)
    const address = await bitcoind.rpc.call('getnewaddress').catch(() => 'raw(51)')
    await bitcoind.rpc.call('generateblock', String(address), [Buffer.from(first.raw).toString('hex')])
    await payer.advance()
    expect(onlyPayout(payer)).toMatchObject({ state: 'confirmed', payment: { txid: first.txid } })
    const settled = await settle(payer)
    expect(settled.payment?.txid).toBe(first.txid)
    await expectWhole(settled)
  })

  it('is paid for by a child where a payee’s child of 100,000 sat pins it, and the child is raised in turn', async () => {
    using treasury = await openTreasury(bitcoind, 300_000n)
    const payer = treasury.open()
    const first = await sent(payer)
    const pin = await spendAsPayee(first, 100_000n, node)
    await waitEmptyBlocks(payer)
    const bumped = onlyPayout(payer)
    expect(bumped.payment?.txid).toBe(first.payment?.txid)
    expect(bumped.child).toMatchObject({ parent: bumped.payment?.number })
    expect(bumped.feeSats).toBeLessThanOrEqual(5_000n)
    await waitEmptyBlocks(payer)
    const raised = onlyPayout(payer)
    expect(raised.child?.feeSats).toBeGreaterThan(bumped.child?.feeSats ?? 0n)
    expect(new Set(await mempool(bitcoind))).toEqual(new Set([first.payment?.txid, pin, raised.child?.txid]))
    const settled = await settle(payer)
    expect(settled.child?.txid).toBe(raised.child?.txid)
    await expectWhole(settled)
  })

  it.each([1, 300])(
    'takes a child mined %i blocks ago for its own, though it was made after the backup',
    async (blocks) => {
      using treasury = await openTreasury(bitcoind, 300_000n)
      const { restored, child, feeSats } = await bumpedSinceBackup(treasury)
      await bitcoind.mine(blocks)
      for (let block = 0; block < 4; block += 1) {
        await restored.advance()
        await bitcoind.mine(1)
      }
      const settled = onlyPayout(restored)
      expect(settled).toMatchObject({ state: 'settled', child: { txid: child?.txid }, feeSats })
      await expectWhole(settled)
    },
  )

  it('is not settled without a child that still waits, though it was made after the backup', async () => {
    using treasury = await openTreasury(bitcoind, 300_000n)
    const { restored, payment, child, feeSats } = await bumpedSinceBackup(treasury)
    await bitcoind.rpc.call('generateblock', 'raw(51)', [payment?.txid])
    await mineEmpty(bitcoind)
    await mineEmpty(bitcoind)
    await restored.advance()
    await restored.advance()
    expect(onlyPayout(restored)).toMatchObject({ state: 'confirmed', child: { txid: child?.txid } })
    await bitcoind.mine(3)
    await restored.advance()
    const settled = onlyPayout(restored)
    expect(settled).toMatchObject({ state: 'settled', child: { txid: child?.txid }, feeSats })
    await expectWhole(settled)
  })

  it('waits with the figure where its limits are reached, and goes on when they are lifted', async () => {
    using treasury = await openTreasury(bitcoind, 300_000n)
    const payer = treasury.open({ policy: { capSats: 400n } })
    const first = await sent(payer)
    await waitEmptyBlocks(payer)
    expect(onlyPayout(payer)).toMatchObject({ attempts: [{ txid: first.payment?.txid }], state: 'broadcast' })
    expect(onlyPayout(payer).trouble).toMatch(/fee of \d+ sat, above the limits/)
    const generous = treasury.open()
    await generous.advance()
    expect(onlyPayout(generous)).toMatchObject({ trouble: null, attempts: [{}, {}] })
    await settle(generous)
  })

  it('is followed, and neither sent again nor bumped, while nothing may be sent', async () => {
    using treasury = await openTreasury(bitcoind, 300_000n)
    const payer = treasury.open()
    const first = await sent(payer)
    payer.stop('the fees look wrong', 1_700_000_000_000)
    payer.stop('another reason', 1_800_000_000_000)
    expect(treasury.open().stopped()).toEqual({ reason: 'the fees look wrong', sinceMs: 1_700_000_000_000 })
    await waitEmptyBlocks(payer, TARGET_BLOCKS + 1)
    expect(onlyPayout(payer)).toMatchObject({ state: 'broadcast', attempts: [{ txid: first.payment?.txid }] })
    await bitcoind.mine(1)
    await payer.advance()
    expect(onlyPayout(payer).state).toBe('confirmed')
    await bitcoind.mine(2)
    await payer.advance()
    expect(onlyPayout(payer).state).toBe('settled')
  })

  it('is not sent at all while nothing may be sent', async () => {
    using treasury = await openTreasury(bitcoind, 300_000n)
    const payer = treasury.open()
    await payer.pin('a', 10_000n)
    payer.stop('not today', 0)
    const outputs = payees(10_000n)
    await expect(payer.prepare('a', outputs)).rejects.toMatchObject({ code: 'stopped' })
    payer.resume()
    const feeMarket: Node['feeMarket'] = (blocks) => {
      payer.stop('not today', 0)
      return node.feeMarket(blocks)
    }
    const underWay = treasury.open({ node: { ...node, feeMarket } })
    await expect(underWay.prepare('a', outputs)).rejects.toMatchObject({ code: 'stopped' })
    expect(onlyPayout(payer).attempts).toEqual([])
    payer.resume()
    await payer.prepare('a', outputs)
    payer.stop('not today', 0)
    await payer.advance()
    expect(onlyPayout(payer).state).toBe('prepared')
    expect(await mempool(bitcoind)).toEqual([])
    payer.resume()
    expect(payer.stopped()).toBeNull()
    await payer.advance()
    expect(onlyPayout(payer).state).toBe('broadcast')
    await settle(payer)
  })
})

it('a payout that a full mempool threw out is made again at the day’s price', async () => {
  await using full = await startBitcoind({ extraArgs: ['-maxmempool=5'] })
  using treasury = await openTreasury(full, 300_000n)
  const payer = treasury.open({ policy: { capSats: 20_000n } })
  await payer.pin('a', 100_000n)
  await payer.prepare('a', payees(100_000n))
  await payer.advance()
  const first = paymentOf(onlyPayout(payer))
  await floodMempool(full, first.txid)
  await payer.advance()
  const second = onlyPayout(payer)
  expect(second).toMatchObject({ state: 'broadcast', trouble: null })
  expect(second.payment?.txid).not.toBe(first.txid)
  expect(await mempool(full)).toContain(second.payment?.txid)
})
