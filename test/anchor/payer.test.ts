import { randomBytes } from 'node:crypto'
import { utils } from '@scure/btc-signer'
import { Transaction } from 'bitcoinjs-lib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseAddress } from '../../anchor/address.ts'
import type { Node } from '../../anchor/node.ts'
import type { TreasuryCoin } from '../../anchor/payout-transaction.ts'
import { taprootAddress } from '../../anchor/taproot-address.ts'
import { type RegtestNode, startBitcoind } from '../../regtest/start-bitcoind.ts'
import { hex, mempool, youngNode } from './anchor-site.ts'
import { depositKeyAt, onlyPayout, openTreasury, payees, paymentOf, type Treasury } from './payer-treasury.ts'
import { signedPayment } from './signed-payment.ts'

let bitcoind: RegtestNode
let node: Node

beforeAll(async () => {
  bitcoind = await startBitcoind()
  node = youngNode(bitcoind.rpc)
})

afterAll(() => bitcoind?.stop())

/** What a pin sets aside beside the total: the fee cap and a P2TR change output above dust. */
const HEADROOM_SATS = 5_330n

const OUTPOINT = ({ txid, vout }: TreasuryCoin) => ({ txid, vout })

describe('pin', () => {
  it('takes the largest coins first, and no more than are needed', async () => {
    using treasury = await openTreasury(bitcoind, 20_000n, 50_000n, 30_000n)
    const payer = treasury.open()
    const [small, large, middle] = treasury.coins
    expect(await payer.pin('a', 60_000n)).toEqual([large, middle])
    expect(onlyPayout(payer)).toMatchObject({ state: 'pinned', totalSats: 60_000n, payment: null })
    expect(await payer.pin('b', 20_000n - HEADROOM_SATS)).toEqual([small])
  })

  it('orders coins of one value by outpoint, in whatever order they are listed', async () => {
    using treasury = await openTreasury(bitcoind, 20_000n, 20_000n, 20_000n)
    const sorted = treasury.coins.toSorted((a, b) => (a.txid < b.txid ? -1 : 1))
    const coins = await treasury.open().pin('a', 50_000n)
    expect(coins.map(OUTPOINT)).toEqual(sorted.map(OUTPOINT))
  })

  it('gives the same coins again, after a restart too, and refuses another total', async () => {
    using treasury = await openTreasury(bitcoind, 50_000n, 40_000n)
    const coins = await treasury.open().pin('a', 30_000n)
    const payer = treasury.open()
    expect(await payer.pin('a', 30_000n)).toEqual(coins)
    await expect(payer.pin('a', 30_001n)).rejects.toMatchObject({ code: 'payout_differs' })
  })

  it('gives no coin to two payouts, even when asked at once', async () => {
    using treasury = await openTreasury(bitcoind, 50_000n, 40_000n)
    const payer = treasury.open()
    const [a, b, again] = await Promise.all([
      payer.pin('a', 10_000n),
      payer.pin('b', 10_000n),
      payer.pin('a', 10_000n),
    ])
    expect(a).not.toEqual(b)
    expect(again).toEqual(a)
  })

  it('says how much is missing, to the satoshi', async () => {
    using treasury = await openTreasury(bitcoind, 50_000n)
    const payer = treasury.open()
    await expect(payer.pin('a', 50_001n - HEADROOM_SATS)).rejects.toMatchObject({
      code: 'insufficient_funds',
      neededSats: 50_001n,
      availableSats: 50_000n,
    })
    expect(payer.payouts()).toEqual([])
    expect(await payer.pin('a', 50_000n - HEADROOM_SATS)).toHaveLength(1)
  })

  it('says so where the coins are there, but too small to be spent together', async () => {
    using treasury = await openTreasury(bitcoind, 1_000_000n)
    const script = parseAddress(treasury.address, 'regtest').script
    const { raw, txid } = signedPayment({
      secretKey: treasury.secretKey,
      inputs: treasury.coins,
      outputs: Array.from({ length: 210 }, () => ({ script, valueSats: 1_000n })),
      changeScript: parseAddress(payees(1n)[0]?.address ?? '', 'regtest').script,
      feeSats: 100_000n,
    })
    await bitcoind.rpc.call('sendrawtransaction', hex(raw))
    await bitcoind.mine(1)
    const coins = Array.from({ length: 210 }, (_, vout) => ({ txid, vout, valueSats: 1_000n, keyIndex: 0 }))
    const payer = treasury.open({ listCoins: async () => coins, policy: { capSats: 30_000n } })
    await expect(payer.quote(payees(200_000n))).rejects.toMatchObject({
      code: 'coins_too_small',
      message: expect.stringMatching(/the 200 largest coins hold 200000 sat, and no payout spends more/),
    })
    const all = treasury.open({ listCoins: async () => coins.slice(0, 200), policy: { capSats: 30_000n } })
    await expect(all.quote(payees(200_000n))).rejects.toMatchObject({
      code: 'insufficient_funds',
      message: expect.stringMatching(/ are needed, 200 coins hold 200000 sat$/),
    })
    expect((await payer.quote(payees(150_000n))).coins).toHaveLength(181)
  })

  it('passes over coins that the node does not show as ours, confirmed and unspent', async () => {
    using treasury = await openTreasury(bitcoind, 50_000n)
    using stranger = await openTreasury(bitcoind, 90_000n)
    const [own] = treasury.coins
    const [foreign] = stranger.coins
    if (own === undefined || foreign === undefined) throw new Error('funded')
    const spent = stranger.open()
    const [claimed] = await spent.pin('x', 10_000n)
    treasury.coins.push(foreign, { ...own, vout: 7 }, { ...own, valueSats: 99_000n })
    expect(await treasury.open().pin('a', 10_000n)).toEqual([own])
    await spent.prepare('x', payees(10_000n))
    await spent.advance()
    expect(onlyPayout(spent).state).toBe('broadcast')
    using reopened = await openTreasury(bitcoind)
    reopened.coins.push(...(claimed ? [claimed] : []))
    await expect(reopened.open().pin('b', 1_000n)).rejects.toMatchObject({ availableSats: 0n })
    await bitcoind.mine(1)
  })

  it('takes nothing while the node is catching up', async () => {
    using treasury = await openTreasury(bitcoind, 50_000n)
    const syncing: Node = {
      ...node,
      chain: async () => ({ ...(await node.chain()), initialBlockDownload: true }),
    }
    const payer = treasury.open({ node: syncing })
    await expect(payer.pin('a', 1_000n)).rejects.toMatchObject({ code: 'node_syncing' })
    expect(payer.payouts()).toEqual([])
  })

  it('passes over a coin that is under another key than is said', async () => {
    using treasury = await openTreasury(bitcoind)
    const coin = await depositAt(treasury, 1, 50_000n)
    const payer = treasury.open()
    treasury.coins.splice(0, 1, { ...coin, keyIndex: 2 })
    await expect(payer.pin('a', 1_000n)).rejects.toMatchObject({ availableSats: 0n })
    treasury.coins.splice(0, 1, { ...coin, keyIndex: 1 })
    expect(await payer.pin('a', 1_000n)).toEqual([{ ...coin, keyIndex: 1 }])
  })

  it('passes over a coin that is not confirmed', async () => {
    using treasury = await openTreasury(bitcoind, 50_000n)
    const funding = await bitcoind.rpc.call('getbestblockhash')
    await bitcoind.rpc.call('invalidateblock', funding)
    await expect(treasury.open().pin('a', 1_000n)).rejects.toMatchObject({ availableSats: 0n })
    await bitcoind.rpc.call('reconsiderblock', funding)
    expect(await treasury.open().pin('a', 1_000n)).toEqual(treasury.coins)
  })

  it('passes over a coinbase that is not mature', async () => {
    using treasury = await openTreasury(bitcoind)
    const [hash = ''] = await bitcoind.mine(1, treasury.address)
    const [txid = ''] = await node.blockTxids(hash)
    const coinbase = await node.txOut({ txid, vout: 0 }, { mempool: false })
    treasury.coins.push({ txid, vout: 0, valueSats: coinbase?.valueSats ?? 0n, keyIndex: 0 })
    await bitcoind.mine(98)
    await expect(treasury.open().pin('a', 1_000n)).rejects.toMatchObject({ availableSats: 0n })
    await bitcoind.mine(1)
    expect(await treasury.open().pin('a', 1_000n)).toHaveLength(1)
  })
})

async function depositAt(treasury: Treasury, keyIndex: number, valueSats: bigint): Promise<TreasuryCoin> {
  const address = taprootAddress(depositKeyAt(keyIndex).internalKey, 'regtest')
  const coin = { ...(await bitcoind.fund(address, valueSats)), valueSats, keyIndex }
  treasury.coins.push(coin)
  return coin
}

describe('prepare', () => {
  it('signs each coin with the key that it is under, after a restart too, and the node takes it', async () => {
    using treasury = await openTreasury(bitcoind, 20_000n)
    const coins = [await depositAt(treasury, 1, 50_000n), await depositAt(treasury, 7, 40_000n)]
    await treasury.open().pin('a', 90_000n)
    const payer = treasury.open()
    await payer.prepare('a', payees(90_000n))
    expect(onlyPayout(payer).inputs).toEqual([...coins, treasury.coins[0]])
    await payer.advance()
    expect(await mempool(bitcoind)).toEqual([paymentOf(onlyPayout(payer)).txid])
    await bitcoind.mine(3)
    await payer.advance()
    expect(onlyPayout(payer)).toMatchObject({ state: 'settled', trouble: null })
  })

  it('keeps bytes that spend the pinned coins, pay the list and return the change, to the satoshi', async () => {
    using treasury = await openTreasury(bitcoind, 50_000n, 40_000n)
    const payer = treasury.open()
    const outputs = payees(30_000n, 20_000n, 10_000n)
    const coins = await payer.pin('a', 60_000n)
    await payer.prepare('a', outputs)
    const record = onlyPayout(payer)
    const payment = paymentOf(record)
    expect(await mempool(bitcoind)).toEqual([])
    expect(record.state).toBe('prepared')
    const transaction = Transaction.fromBuffer(payment.raw)
    const spent = transaction.ins.map(({ hash, index }) => ({
      txid: Buffer.from(hash).reverse().toString('hex'),
      vout: index,
    }))
    expect(spent).toEqual(coins.map(OUTPOINT))
    const paid = transaction.outs.map(({ script, value }) => [hex(script), value])
    const expected = [...outputs, { address: treasury.address, valueSats: payment.changeSats }]
    expect(paid).toEqual(
      expected.map(({ address, valueSats }) => [hex(parseAddress(address, 'regtest').script), valueSats]),
    )
    const inSats = coins.reduce((sum, { valueSats }) => sum + valueSats, 0n)
    expect(inSats).toBe(60_000n + payment.changeSats + record.feeSats)
    expect(record.feeSats).toBe(BigInt(transaction.virtualSize()) * 2n)
  })

  it('is done once: the same outputs change nothing, others are refused', async () => {
    using treasury = await openTreasury(bitcoind, 50_000n)
    const outputs = payees(10_000n, 5_000n)
    const payer = treasury.open()
    await expect(payer.prepare('a', outputs)).rejects.toMatchObject({ code: 'payout_unknown' })
    await payer.pin('a', 15_000n)
    await expect(payer.prepare('a', payees(14_999n))).rejects.toMatchObject({ code: 'payout_differs' })
    await payer.prepare('a', outputs)
    const { raw } = paymentOf(onlyPayout(payer))
    const reopened = treasury.open()
    await reopened.prepare('a', outputs)
    expect(hex(paymentOf(onlyPayout(reopened)).raw)).toBe(hex(raw))
    await expect(reopened.prepare('a', outputs.toReversed())).rejects.toMatchObject({
      code: 'payout_differs',
    })
    await expect(reopened.prepare('a', payees(15_000n))).rejects.toMatchObject({ code: 'payout_differs' })
    expect(await reopened.pin('a', 15_000n)).toEqual(treasury.coins)
  })

  it('refuses dust and foreign addresses, and leaves the payout pinned', async () => {
    using treasury = await openTreasury(bitcoind, 50_000n)
    const payer = treasury.open()
    await payer.pin('a', 10_329n)
    await expect(payer.prepare('a', payees(10_000n, 329n))).rejects.toMatchObject({ code: 'output_dust' })
    const mainnet = taprootAddress(utils.pubSchnorr(randomBytes(32)), 'mainnet')
    await expect(payer.prepare('a', [{ address: mainnet, valueSats: 10_329n }])).rejects.toMatchObject({
      code: 'address_wrong_network',
    })
    expect(onlyPayout(payer).state).toBe('pinned')
  })

  it('stalls with the figure when the node asks for more than the cap', async () => {
    using treasury = await openTreasury(bitcoind, 50_000n)
    const payer = treasury.open({ policy: { capSats: 10n } })
    await payer.pin('a', 10_000n)
    await expect(payer.prepare('a', payees(10_000n))).rejects.toMatchObject({
      code: 'fee_stalled',
      neededSats: 154n,
    })
  })
})
