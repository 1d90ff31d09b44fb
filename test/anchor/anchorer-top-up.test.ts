import { randomBytes } from 'node:crypto'
import { Transaction } from 'bitcoinjs-lib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { TopUp } from '../../anchor/anchor-transaction.ts'
import { sealScript } from '../../anchor/commitment.ts'
import { type RegtestNode, startBitcoind } from '../../regtest/start-bitcoind.ts'
import { anchorNext, hex, mempool, mineEmpty, onlyAnchor, openSite, type Site } from './anchor-site.ts'
import { expectWhole } from './expect-whole.ts'
import { signedPayment } from './signed-payment.ts'

let bitcoind: RegtestNode

beforeAll(async () => {
  bitcoind = await startBitcoind({ extraArgs: ['-persistmempool=0'] })
})

afterAll(() => bitcoind?.stop())

const COIN_SATS = 50_000n

/** A coin of the anchor key that a wallet lists, six blocks deep. */
async function listCoin(site: Site, sats = COIN_SATS): Promise<TopUp> {
  const coin = await site.fund(sats)
  await bitcoind.mine(5)
  site.topUps.push(coin)
  return coin
}

/** The coin's owner spends it elsewhere. */
function spendElsewhere({ secretKey, internalKey }: Site, coin: TopUp, feeSats: bigint): Uint8Array {
  const payment = { script: sealScript(internalKey, randomBytes(40)), valueSats: 1_000n }
  const changeScript = sealScript(internalKey, null)
  return signedPayment({ secretKey, inputs: [coin], outputs: [payment], changeScript, feeSats }).raw
}

function spent(raw: Uint8Array | null): string[] {
  const { ins } = Transaction.fromBuffer(raw ?? new Uint8Array())
  return ins.map(({ hash, index }) => `${Buffer.from(hash).reverse().toString('hex')}:${index}`)
}

const named = ({ txid, vout }: { txid: string; vout: number }) => `${txid}:${vout}`

describe('a seal that cannot pay the next fee', () => {
  it.each([
    ['dual', 220],
    ['taproot', 169],
  ] as const)('is refilled by a second input, by method %s at %i vB', async (method, vsize) => {
    using site = await openSite(bitcoind, { method, sealSats: 400n })
    const coin = await listCoin(site)
    const anchorer = site.open()
    await anchorNext(bitcoind, site, anchorer)
    const record = onlyAnchor(anchorer)
    expect(record).toMatchObject({ state: 'mined', vsize, feeSats: BigInt(vsize), topUpSats: COIN_SATS })
    expect(spent(record.raw)).toEqual([named(site.firstSeal), named(coin)])
    expect(anchorer.state().sealSats).toBe(400n + COIN_SATS - BigInt(vsize))
    await anchorNext(bitcoind, site, anchorer)
    expect(anchorer.anchors()[1]).toMatchObject({ topUpSats: 0n, state: 'mined' })
    await expectWhole(site, anchorer)
  })

  it('waits until a coin is as deep as a final anchor', async () => {
    using site = await openSite(bitcoind, { sealSats: 400n })
    const anchorer = site.open()
    site.grow(1)
    site.topUps.push(await site.fund(COIN_SATS))
    await bitcoind.mine(4)
    await anchorer.advance()
    expect(anchorer.state().stalled).toMatchObject({
      code: 'seal_too_small',
      neededSats: 162n,
      advice: expect.stringContaining('anchor address'),
    })
    expect(anchorer.anchors()).toEqual([])
    await bitcoind.mine(1)
    await anchorer.advance()
    expect(onlyAnchor(anchorer)).toMatchObject({ state: 'broadcast', topUpSats: COIN_SATS })
    await bitcoind.mine(1)
    await anchorer.advance()
    await expectWhole(site, anchorer)
  })

  it('takes the largest coin, and none that is listed with another value, spent, or the first seal itself', async () => {
    using site = await openSite(bitcoind, { sealSats: 400n })
    const small = await listCoin(site, 20_000n)
    const large = await listCoin(site, 30_000n)
    const gone = await listCoin(site, 40_000n)
    await bitcoind.rpc.call('generateblock', 'raw(51)', [hex(spendElsewhere(site, gone, 1_000n))])
    site.topUps.push({ ...small, valueSats: 60_000n }, { ...site.firstSeal }, { ...large, vout: 7 })
    const anchorer = site.open()
    site.grow(1)
    await anchorer.advance()
    expect(spent(onlyAnchor(anchorer).raw)).toEqual([named(site.firstSeal), named(large)])
    await bitcoind.mine(1)
  })

  it('is not refilled by a coin that is worth less than its own input costs', async () => {
    using site = await openSite(bitcoind, { sealSats: 400n })
    await listCoin(site, 330n)
    const anchorer = site.open({ policy: { floorSatPerKvb: 6_000n } })
    site.grow(1)
    await anchorer.advance()
    expect(anchorer.state().stalled?.code).toBe('seal_too_small')
    expect(anchorer.anchors()).toEqual([])
  })

  it('is not refilled by itself', async () => {
    using site = await openSite(bitcoind, { sealSats: 400n })
    await bitcoind.mine(5)
    site.topUps.push({ ...site.firstSeal })
    const anchorer = site.open()
    site.grow(1)
    await anchorer.advance()
    expect(anchorer.state().stalled?.code).toBe('seal_too_small')
  })

  it('says that the cap is in the way when it is', async () => {
    using site = await openSite(bitcoind, { sealSats: 400n })
    await listCoin(site)
    const anchorer = site.open({ policy: { capSats: 219n } })
    site.grow(1)
    await anchorer.advance()
    expect(anchorer.state().stalled).toMatchObject({ code: 'cap_reached', neededSats: 220n })
  })
})

describe('a runway below what the policy wants', () => {
  it('is lengthened ahead of need, and only then', async () => {
    using site = await openSite(bitcoind, { sealSats: 330n + 162n * 5n })
    await listCoin(site)
    const long = site.open({ policy: { topUpBelowBlocks: 5 } })
    await anchorNext(bitcoind, site, long)
    expect(long.anchors().at(-1)).toMatchObject({ topUpSats: 0n })
    await anchorNext(bitcoind, site, long)
    expect(long.anchors().at(-1)).toMatchObject({ topUpSats: COIN_SATS })
    await expectWhole(site, long)
  })

  it('is left as it is where the cap allows the anchor but not the refill', async () => {
    using site = await openSite(bitcoind, { sealSats: 330n + 162n * 5n })
    await listCoin(site)
    const anchorer = site.open({ policy: { topUpBelowBlocks: 100, capSats: 219n } })
    await anchorNext(bitcoind, site, anchorer)
    expect(onlyAnchor(anchorer)).toMatchObject({ topUpSats: 0n, state: 'mined' })
  })
})

describe('an anchor with a top-up', () => {
  it('is replaced with the same coin, though the wallet no longer lists it', async () => {
    using site = await openSite(bitcoind, { sealSats: 400n })
    const coin = await listCoin(site)
    const anchorer = site.open()
    site.grow(1)
    await anchorer.advance()
    site.topUps.length = 0
    await mineEmpty(bitcoind)
    site.grow(1)
    await anchorer.advance()
    const record = onlyAnchor(anchorer)
    expect(record).toMatchObject({ size: 2, state: 'broadcast', feeSats: 440n })
    expect(spent(record.raw)).toContain(named(coin))
    await bitcoind.mine(1)
    await anchorer.advance()
    await expectWhole(site, anchorer)
  })

  it('goes back through a reorg and a lost mempool unchanged', async () => {
    using site = await openSite(bitcoind, { sealSats: 400n })
    await listCoin(site)
    const anchorer = site.open()
    await anchorNext(bitcoind, site, anchorer)
    await anchorNext(bitcoind, site, anchorer)
    const before = anchorer.anchors().map(({ txid }) => txid)
    await bitcoind.reorg(2)
    await bitcoind.restart()
    await anchorer.advance()
    expect(anchorer.anchors().map(({ txid, state }) => [txid, state])).toEqual(
      before.map((txid) => [txid, 'broadcast']),
    )
    await bitcoind.mine(1)
    await anchorer.advance()
    await expectWhole(site, anchorer)
  })
})

describe('a top-up that its owner spends elsewhere', () => {
  it('by a payment that throws the anchor out of the mempool, is made up by another coin', async () => {
    using site = await openSite(bitcoind, { sealSats: 400n })
    const coin = await listCoin(site)
    const other = await listCoin(site, 40_000n)
    const anchorer = site.open()
    site.grow(1)
    await anchorer.advance()
    const { txid } = onlyAnchor(anchorer)
    expect((await site.node.send(spendElsewhere(site, coin, 5_000n))).kind).toBe('accepted')
    expect(await mempool(bitcoind)).not.toContain(txid)
    await anchorer.advance()
    expect(anchorer.state().stalled).toMatchObject({ code: 'refused' })
    await bitcoind.mine(1)
    site.grow(1)
    await anchorer.advance()
    const record = onlyAnchor(anchorer)
    expect(record).toMatchObject({ size: 2, state: 'broadcast' })
    expect(spent(record.raw)).toEqual([named(site.firstSeal), named(other)])
    await bitcoind.mine(1)
    await anchorer.advance()
    await expectWhole(site, anchorer)
  })

  it('in a block, stalls the anchor until there is another coin', async () => {
    using site = await openSite(bitcoind, { sealSats: 400n })
    const coin = await listCoin(site)
    const anchorer = site.open()
    site.grow(1)
    await anchorer.advance()
    await bitcoind.rpc.call('generateblock', 'raw(51)', [hex(spendElsewhere(site, coin, 1_000n))])
    expect(await mempool(bitcoind)).toEqual([])
    await anchorer.advance()
    expect(anchorer.state()).toMatchObject({ stalled: { code: 'seal_too_small' }, inDoubt: false })
    await listCoin(site, 40_000n)
    await anchorer.advance()
    await bitcoind.mine(1)
    await anchorer.advance()
    expect(onlyAnchor(anchorer)).toMatchObject({ state: 'mined', topUpSats: 40_000n })
    await expectWhole(site, anchorer)
  })

  it('in the rival branch of a reorg, unmakes the anchor and what was built on it, and both are made up', async () => {
    using site = await openSite(bitcoind, { sealSats: 800n })
    const coin = await listCoin(site)
    const anchorer = site.open({ policy: { topUpBelowBlocks: 10 } })
    await anchorNext(bitcoind, site, anchorer)
    await anchorNext(bitcoind, site, anchorer)
    expect(anchorer.anchors()[0]).toMatchObject({ topUpSats: COIN_SATS })
    const dead = anchorer.anchors().map(({ txid }) => txid)
    await bitcoind.reorg(2, 2)
    await bitcoind.rpc.call('generateblock', 'raw(51)', [hex(spendElsewhere(site, coin, 1_000n))])
    site.grow(1)
    await anchorer.advance()
    expect(anchorer.state().stalled).toMatchObject({
      code: 'refused',
      detail: expect.stringContaining('gone'),
    })
    await mineEmpty(bitcoind)
    await anchorer.advance()
    const record = onlyAnchor(anchorer)
    expect(record).toMatchObject({ index: 0, size: 3, state: 'broadcast', topUpSats: 0n })
    expect(dead).not.toContain(record.txid)
    await bitcoind.mine(1)
    await anchorer.advance()
    await expectWhole(site, anchorer)
  })
})
