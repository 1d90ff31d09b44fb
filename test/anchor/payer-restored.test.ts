import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Node } from '../../anchor/node.ts'
import type { PayoutOutput } from '../../anchor/payout-record.ts'
import { type RegtestNode, startBitcoind } from '../../regtest/start-bitcoind.ts'
import { copyOf, mempool, mineEmpty, openDatabase, youngNode } from './anchor-site.ts'
import { onlyPayout, openTreasury, payees, paymentOf } from './payer-treasury.ts'

let bitcoind: RegtestNode
let node: Node
beforeAll(async () => {
  bitcoind = await startBitcoind()
  node = youngNode(bitcoind.rpc)
})
afterAll(() => bitcoind.stop())

/** Others would pay: what is made anew is another transaction. */
const DEARER = { floorSatPerKvb: 7_000n }

async function pinned(outputs: PayoutOutput[]) {
  const treasury = await openTreasury(bitcoind, 300_000n)
  const db = openDatabase(':memory:')
  const payer = treasury.open({ db })
  await payer.pin(
    'a',
    outputs.reduce((sum, { valueSats }) => sum + valueSats, 0n),
  )
  return { treasury, db, payer, outputs }
}

test.each([
  ['waits in the mempool', 0],
  ['is mined', 1],
  ['is final', 3],
  ['was mined long ago', 300],
])(
  'a payment that %s was not made by this database, which pinned its coin, and is taken for its own',
  async (_where, blocks) => {
    const { treasury, db, payer, outputs } = await pinned(payees(200_000n, 10_000n))
    using _treasury = treasury
    const restored = treasury.open({ db: copyOf(db), policy: DEARER })
    await payer.prepare('a', outputs)
    await payer.advance()
    const { txid, feeSats, changeSats, raw } = paymentOf(onlyPayout(payer))
    await bitcoind.mine(blocks)

    await restored.prepare('a', outputs)
    await restored.advance()
    expect(onlyPayout(restored)).toMatchObject({
      state: blocks === 0 ? 'broadcast' : blocks === 1 ? 'confirmed' : 'settled',
      trouble: null,
      feeSats,
      attempts: [{ txid, feeSats, changeSats, raw }],
    })
    await bitcoind.mine(Math.max(0, 3 - blocks))
    await restored.advance()
    expect(onlyPayout(restored)).toMatchObject({ state: 'settled', feeSats })
  },
)

test('a stopped payer makes nothing, and takes what was made', async () => {
  const { treasury, db, payer, outputs } = await pinned(payees(200_000n))
  using _treasury = treasury
  const restored = treasury.open({ db: copyOf(db) })
  restored.stop('to look first', 0)
  await expect(restored.prepare('a', outputs)).rejects.toMatchObject({ code: 'stopped' })
  await payer.prepare('a', outputs)
  await payer.advance()
  await bitcoind.mine(1)
  await restored.prepare('a', outputs)
  await restored.advance()
  expect(onlyPayout(restored)).toMatchObject({
    state: 'confirmed',
    payment: { txid: paymentOf(onlyPayout(payer)).txid },
  })
})

test('a replacement that was mined is taken, though it came after the backup', async () => {
  const { treasury, db, payer, outputs } = await pinned(payees(200_000n))
  using _treasury = treasury
  await payer.prepare('a', outputs)
  await payer.advance()
  const restored = treasury.open({ db: copyOf(db) })
  const first = paymentOf(onlyPayout(payer))
  for (let block = 0; block < 6; block += 1) {
    await mineEmpty(bitcoind)
    await payer.advance()
  }
  const second = paymentOf(onlyPayout(payer))
  expect(second.txid).not.toBe(first.txid)
  await bitcoind.mine(3)

  // In one round: until it knows what was made of its coins, their change looks like a deposit.
  await restored.advance()
  expect(onlyPayout(restored)).toMatchObject({
    state: 'settled',
    feeSats: second.feeSats,
    payment: { txid: second.txid },
    attempts: [{ txid: first.txid }, { txid: second.txid }],
  })
  expect(await mempool(bitcoind)).toEqual([])
})

test('a coin that went into something else is named, and no second payment is made of it', async () => {
  const { treasury, db, outputs } = await pinned(payees(200_000n))
  using _treasury = treasury
  const restored = treasury.open({ db: copyOf(db) })
  const rival = treasury.open({ db: openDatabase(':memory:') })
  await rival.pin('z', 5_000n)
  await rival.prepare('z', payees(5_000n))
  await rival.advance()
  const { txid } = paymentOf(onlyPayout(rival))
  for (const blocks of [0, 1]) {
    await bitcoind.mine(blocks)
    await expect(restored.prepare('a', outputs)).rejects.toMatchObject({
      code: 'input_spent',
      message: expect.stringContaining(txid),
    })
  }
  expect(onlyPayout(restored)).toMatchObject({ state: 'pinned', attempts: [] })
  expect(await node.txOut({ txid, vout: 0 }, { mempool: false })).toMatchObject({ valueSats: 5_000n })
})
