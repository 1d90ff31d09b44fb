import { isDeepStrictEqual } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parseAddress } from '../../anchor/address.ts'
import type { TreasuryCoin } from '../../anchor/payout-transaction.ts'
import { type RegtestNode, startBitcoind } from '../../regtest/start-bitcoind.ts'
import { youngNode } from './anchor-site.ts'
import { foreignSpend, never, PAID } from './foreign-spend.ts'
import { onlyPayout, openTreasury } from './payer-treasury.ts'
import { signedPayment } from './signed-payment.ts'

let bitcoind: RegtestNode
beforeAll(async () => {
  bitcoind = await startBitcoind()
})
afterAll(() => bitcoind.stop())

test('no other call waits while blocks are searched, and who comes second finds it closed', async () => {
  using treasury = await openTreasury(bitcoind, 200_000n)
  const node = youngNode(bitcoind.rpc)
  const searched = Promise.withResolvers<void>()
  const payer = treasury.open({
    node: { ...node, blockAt: (height) => searched.promise.then(() => node.blockAt(height)) },
  })
  const [coin] = await payer.pin('a', 150_000n)
  if (coin === undefined) throw new Error('a coin')
  await bitcoind.rpc.call('generateblock', 'raw(51)', [foreignSpend(treasury, coin).hex])
  await bitcoind.mine(2)
  const both = Promise.allSettled([
    payer.giveUp('a', PAID, 0, () => 'given up'),
    payer.giveUp('a', PAID, 0, () => 'given up'),
  ])
  expect(await payer.pin('a', 150_000n)).toEqual([coin])
  searched.resolve()
  const [first, second] = (await both).toSorted((a, b) => (a.status < b.status ? -1 : 1))
  expect(first).toMatchObject({ value: 'given up' })
  expect(second).toMatchObject({ reason: { code: 'payout_closed' } })
})

test('coins that went into one transaction are one search', async () => {
  using treasury = await openTreasury(bitcoind, 100_000n, 90_000n)
  const node = youngNode(bitcoind.rpc)
  const asked: number[] = []
  const payer = treasury.open({
    node: {
      ...node,
      blockAt(height) {
        asked.push(height)
        return node.blockAt(height)
      },
    },
  })
  const inputs = await payer.pin('a', 150_000n)
  expect(inputs).toHaveLength(2)
  const { txid, raw } = signedPayment({
    secretKey: treasury.secretKey,
    inputs,
    outputs: [],
    changeScript: parseAddress(treasury.address, 'regtest').script,
    feeSats: 1_000n,
  })
  await bitcoind.rpc.call('generateblock', 'raw(51)', [Buffer.from(raw).toString('hex')])
  await bitcoind.mine(2)
  const found = await payer.giveUp('a', PAID, 0, (spends) => spends.map((one) => one.txid))
  expect({ found, asked: asked.length }).toEqual({ found: [txid], asked: 3 })
  expect(onlyPayout(payer)).toMatchObject({ state: 'voided', inputs })
})

test('it is not given up when a coin that was left is spent after the search, before its turn', async () => {
  using treasury = await openTreasury(bitcoind, 100_000n, 90_000n)
  const node = youngNode(bitcoind.rpc)
  const searched = Promise.withResolvers<void>()
  let turn = Promise.resolve()
  const payer = treasury.open({
    listCoins: () => turn.then(() => treasury.coins),
    node: {
      ...node,
      async txOut(outpoint, options) {
        const found = await node.txOut(outpoint, options)
        if (isDeepStrictEqual(outpoint, other)) searched.resolve()
        return found
      },
    },
  })
  let other: TreasuryCoin | undefined
  const [coin, left] = await payer.pin('a', 150_000n)
  if (coin === undefined || left === undefined) throw new Error('two coins')
  await bitcoind.rpc.call('generateblock', 'raw(51)', [foreignSpend(treasury, coin).hex])
  await bitcoind.mine(2)

  other = left
  const held = Promise.withResolvers<void>()
  turn = held.promise
  const before = payer.pin('b', 150_000n).catch((error) => error.code)
  const given = payer.giveUp('a', PAID, 0, never).catch((error) => error.code)
  await searched.promise
  await bitcoind.rpc.call('getmempoolinfo')
  await bitcoind.rpc.call('sendrawtransaction', foreignSpend(treasury, left).hex)
  held.resolve()
  expect(await before).toBe('insufficient_funds')
  expect(await given).toBe('spend_not_final')
  expect(onlyPayout(payer)).toMatchObject({ state: 'pinned', inputs: [coin, left] })
})
