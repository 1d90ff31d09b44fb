import { randomBytes } from 'node:crypto'
import { utils } from '@scure/btc-signer'
import type { Database } from 'better-sqlite3'
import { Transaction } from 'bitcoinjs-lib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseAddress } from '../../anchor/address.ts'
import { type Node, openNode } from '../../anchor/node.ts'
import { openPayer, type Payer, type PayerPolicy } from '../../anchor/payer.ts'
import type { PayoutOutput, PayoutRecord } from '../../anchor/payout-record.ts'
import type { TreasuryCoin } from '../../anchor/payout-transaction.ts'
import { taprootAddress } from '../../anchor/taproot-address.ts'
import { type RegtestNode, startBitcoind } from '../../regtest/start-bitcoind.ts'
import { openDatabase } from './anchor-site.ts'

const POLICY: PayerPolicy = {
  finalDepth: 3,
  targetBlocks: 6,
  floorSatPerKvb: 2_000n,
  ceilingSatPerKvb: 50_000n,
  capSats: 5_000n,
}
/** What a pin sets aside beside the total: the fee cap and a P2TR change output above dust. */
const HEADROOM_SATS = 5_330n

let bitcoind: RegtestNode
let node: Node

beforeAll(async () => {
  bitcoind = await startBitcoind({ extraArgs: ['-persistmempool=0'] })
  node = openNode(bitcoind.rpc, 'regtest')
})

afterAll(() => bitcoind?.stop())

interface Treasury {
  coins: TreasuryCoin[]
  address: string
  open(changes?: { node?: Node; policy?: Partial<PayerPolicy>; db?: Database }): Payer
  [Symbol.dispose](): void
}

/** Coins of a fresh key, and a database for its payer. */
async function openTreasury(...values: bigint[]): Promise<Treasury> {
  const secretKey = randomBytes(32)
  const address = taprootAddress(utils.pubSchnorr(secretKey), 'regtest')
  const coins: TreasuryCoin[] = []
  for (const valueSats of values) coins.push({ ...(await bitcoind.fund(address, valueSats)), valueSats })
  const db = openDatabase(':memory:')
  return {
    coins,
    address,
    open: (changes = {}) =>
      openPayer({
        db: changes.db ?? db,
        node: changes.node ?? node,
        network: 'regtest',
        secretKey,
        changeAddress: address,
        policy: { ...POLICY, ...changes.policy },
        listCoins: async () => coins,
      }),
    [Symbol.dispose]: () => db.close(),
  }
}

/** Payees of fresh addresses. */
function payees(...values: bigint[]): PayoutOutput[] {
  return values.map((valueSats) => ({
    address: taprootAddress(utils.pubSchnorr(randomBytes(32)), 'regtest'),
    valueSats,
  }))
}

function only(payer: Payer): PayoutRecord {
  const [record, ...others] = payer.payouts()
  if (record === undefined || others.length > 0) throw new Error(`${others.length} payouts too many`)
  return record
}

function hex(bytes: Uint8Array | null | undefined): string {
  return Buffer.from(bytes ?? []).toString('hex')
}

/** What the chain says that this address received, in how many outputs. */
async function received(address: string): Promise<{ outputs: number; sats: bigint }> {
  const script = Buffer.from(parseAddress(address, 'regtest').script).toString('hex')
  const scan: unknown = await bitcoind.rpc.call('scantxoutset', 'start', [`raw(${script})`])
  const unspents = (scan as { unspents: { txid: string; vout: number }[] }).unspents
  const outputs = await Promise.all(unspents.map((outpoint) => node.txOut(outpoint, { mempool: false })))
  return {
    outputs: outputs.length,
    sats: outputs.reduce((sum, output) => sum + (output?.valueSats ?? 0n), 0n),
  }
}

async function mempool(): Promise<unknown> {
  return bitcoind.rpc.call('getrawmempool')
}

const OUTPOINT = ({ txid, vout }: TreasuryCoin) => ({ txid, vout })

describe('pin', () => {
  it('takes the largest coins first, and no more than are needed', async () => {
    using treasury = await openTreasury(20_000n, 50_000n, 30_000n)
    const payer = treasury.open()
    const [small, large, middle] = treasury.coins
    expect(await payer.pin('a', 60_000n)).toEqual([large, middle])
    expect(only(payer)).toMatchObject({ state: 'pinned', totalSats: 60_000n, txid: null })
    expect(await payer.pin('b', 20_000n - HEADROOM_SATS)).toEqual([small])
  })

  it('orders coins of one value by outpoint, in whatever order they are listed', async () => {
    using treasury = await openTreasury(20_000n, 20_000n, 20_000n)
    const sorted = treasury.coins.toSorted((a, b) => (a.txid < b.txid ? -1 : 1))
    const coins = await treasury.open().pin('a', 50_000n)
    expect(coins.map(OUTPOINT)).toEqual(sorted.map(OUTPOINT))
  })

  it('gives the same coins again, after a restart too, and refuses another total', async () => {
    using treasury = await openTreasury(50_000n, 40_000n)
    const coins = await treasury.open().pin('a', 30_000n)
    const payer = treasury.open()
    expect(await payer.pin('a', 30_000n)).toEqual(coins)
    await expect(payer.pin('a', 30_001n)).rejects.toMatchObject({ code: 'payout_differs' })
  })

  it('gives no coin to two payouts, even when asked at once', async () => {
    using treasury = await openTreasury(50_000n, 40_000n)
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
    using treasury = await openTreasury(50_000n)
    const payer = treasury.open()
    await expect(payer.pin('a', 50_001n - HEADROOM_SATS)).rejects.toMatchObject({
      code: 'insufficient_funds',
      neededSats: 50_001n,
      availableSats: 50_000n,
    })
    expect(payer.payouts()).toEqual([])
    expect(await payer.pin('a', 50_000n - HEADROOM_SATS)).toHaveLength(1)
  })

  it('passes over coins that the node does not show as ours, confirmed and unspent', async () => {
    using treasury = await openTreasury(50_000n)
    using stranger = await openTreasury(90_000n)
    const [own] = treasury.coins
    const [foreign] = stranger.coins
    if (own === undefined || foreign === undefined) throw new Error('funded')
    const spent = stranger.open()
    const [claimed] = await spent.pin('x', 10_000n)
    treasury.coins.push(foreign, { ...own, vout: 7 }, { ...own, valueSats: 99_000n })
    expect(await treasury.open().pin('a', 10_000n)).toEqual([own])
    await spent.prepare('x', payees(10_000n))
    await spent.advance()
    expect(only(spent).state).toBe('broadcast')
    using reopened = await openTreasury()
    reopened.coins.push(...(claimed ? [claimed] : []))
    await expect(reopened.open().pin('b', 1_000n)).rejects.toMatchObject({ availableSats: 0n })
    await bitcoind.mine(1)
  })

  it('passes over a coinbase that is not mature', async () => {
    using treasury = await openTreasury()
    const [hash = ''] = await bitcoind.mine(1, treasury.address)
    const [txid = ''] = await node.blockTxids(hash)
    const coinbase = await node.txOut({ txid, vout: 0 }, { mempool: false })
    treasury.coins.push({ txid, vout: 0, valueSats: coinbase?.valueSats ?? 0n })
    await expect(treasury.open().pin('a', 1_000n)).rejects.toMatchObject({ availableSats: 0n })
    await bitcoind.mine(99)
    expect(await treasury.open().pin('a', 1_000n)).toHaveLength(1)
  })
})

describe('prepare', () => {
  it('keeps bytes that spend the pinned coins, pay the list and return the change, to the satoshi', async () => {
    using treasury = await openTreasury(50_000n, 40_000n)
    const payer = treasury.open()
    const outputs = payees(30_000n, 20_000n, 10_000n)
    const coins = await payer.pin('a', 60_000n)
    await payer.prepare('a', outputs)
    const record = only(payer)
    expect(await mempool()).toEqual([])
    expect(record.state).toBe('prepared')
    const transaction = Transaction.fromBuffer(record.raw ?? new Uint8Array())
    const spent = transaction.ins.map(({ hash, index }) => ({
      txid: Buffer.from(hash).reverse().toString('hex'),
      vout: index,
    }))
    expect(spent).toEqual(coins.map(OUTPOINT))
    const paid = transaction.outs.map(({ script, value }) => [hex(script), value])
    const expected = [...outputs, { address: treasury.address, valueSats: record.changeSats }]
    expect(paid).toEqual(
      expected.map(({ address, valueSats }) => [hex(parseAddress(address, 'regtest').script), valueSats]),
    )
    const inSats = coins.reduce((sum, { valueSats }) => sum + valueSats, 0n)
    expect(inSats).toBe(60_000n + record.changeSats + record.feeSats)
    expect(record.feeSats).toBe(BigInt(transaction.virtualSize()) * 2n)
  })

  it('is done once: the same outputs change nothing, others are refused', async () => {
    using treasury = await openTreasury(50_000n)
    const outputs = payees(10_000n, 5_000n)
    const payer = treasury.open()
    await expect(payer.prepare('a', outputs)).rejects.toMatchObject({ code: 'payout_unknown' })
    await payer.pin('a', 15_000n)
    await expect(payer.prepare('a', payees(14_999n))).rejects.toMatchObject({ code: 'payout_differs' })
    await payer.prepare('a', outputs)
    const { raw } = only(payer)
    const reopened = treasury.open()
    await reopened.prepare('a', outputs)
    expect(hex(only(reopened).raw)).toBe(hex(raw))
    await expect(reopened.prepare('a', outputs.toReversed())).rejects.toMatchObject({
      code: 'payout_differs',
    })
    await expect(reopened.prepare('a', payees(15_000n))).rejects.toMatchObject({ code: 'payout_differs' })
    expect(await reopened.pin('a', 15_000n)).toEqual(treasury.coins)
  })

  it('refuses dust and foreign addresses, and leaves the payout pinned', async () => {
    using treasury = await openTreasury(50_000n)
    const payer = treasury.open()
    await payer.pin('a', 10_329n)
    await expect(payer.prepare('a', payees(10_000n, 329n))).rejects.toMatchObject({ code: 'output_dust' })
    const mainnet = taprootAddress(utils.pubSchnorr(randomBytes(32)), 'mainnet')
    await expect(payer.prepare('a', [{ address: mainnet, valueSats: 10_329n }])).rejects.toMatchObject({
      code: 'address_wrong_network',
    })
    expect(only(payer).state).toBe('pinned')
  })

  it('stalls with the figure when the node asks for more than the cap', async () => {
    using treasury = await openTreasury(50_000n)
    const payer = treasury.open({ policy: { capSats: 10n } })
    await payer.pin('a', 10_000n)
    await expect(payer.prepare('a', payees(10_000n))).rejects.toMatchObject({
      code: 'fee_stalled',
      neededSats: 154n,
    })
  })
})

/** A payout of three payees, prepared. */
async function prepared(treasury: Treasury): Promise<{ outputs: PayoutOutput[]; raw: string; txid: string }> {
  const outputs = payees(10_000n, 9_000n, 8_000n)
  const payer = treasury.open()
  await payer.pin('a', 27_000n)
  await payer.prepare('a', outputs)
  const { raw, txid } = only(payer)
  if (txid === null) throw new Error('not prepared')
  return { outputs, raw: hex(raw), txid }
}

async function expectPaidOnce(outputs: PayoutOutput[]): Promise<void> {
  for (const { address, valueSats } of outputs) {
    expect(await received(address)).toEqual({ outputs: 1, sats: valueSats })
  }
}

describe('advance', () => {
  it('broadcasts, confirms and settles at the final depth, reopened at each state', async () => {
    using treasury = await openTreasury(50_000n)
    const { outputs, raw } = await prepared(treasury)
    const steps: [blocks: number, state: PayoutRecord['state']][] = [
      [0, 'broadcast'],
      [0, 'broadcast'],
      [1, 'confirmed'],
      [1, 'confirmed'],
      [1, 'settled'],
      [1, 'settled'],
    ]
    for (const [blocks, state] of steps) {
      await bitcoind.mine(blocks)
      const payer = treasury.open()
      await payer.advance()
      expect(only(payer)).toMatchObject({ state, trouble: null })
      expect(hex(only(payer).raw)).toBe(raw)
    }
    await expectPaidOnce(outputs)
  })

  it('sends the same bytes again after a time-out that had in truth arrived', async () => {
    using treasury = await openTreasury(50_000n)
    const { outputs, raw, txid } = await prepared(treasury)
    const sent: string[] = []
    const mute: Node = {
      ...node,
      async send(bytes) {
        sent.push(hex(bytes))
        await node.send(bytes)
        return { kind: 'unknown', detail: 'no answer' }
      },
      mempoolEntry: async () => null,
    }
    const payer = treasury.open({ node: mute })
    await payer.advance()
    await payer.advance()
    expect(only(payer)).toMatchObject({ state: 'prepared', trouble: 'no answer to the broadcast: no answer' })
    expect(sent).toEqual([raw, raw])
    await treasury.open().advance()
    expect(only(treasury.open())).toMatchObject({ state: 'broadcast', trouble: null })
    expect(await mempool()).toEqual([txid])
    await bitcoind.mine(1)
    await expectPaidOnce(outputs)
  })

  it('finds what was sent and mined without its knowledge, though every output is spent', async () => {
    using treasury = await openTreasury(50_000n)
    const { txid } = await prepared(treasury)
    const cut: Node = {
      ...node,
      async send(bytes) {
        await node.send(bytes)
        throw new Error('killed after sending')
      },
    }
    await expect(treasury.open({ node: cut }).advance()).rejects.toThrow('killed')
    await bitcoind.mine(1)
    const { height } = await node.chain()
    // The change moves on, so that gettxout can't tell of the payout.
    const change = only(treasury.open())
    treasury.coins.push({ txid, vout: 3, valueSats: change.changeSats })
    const next = treasury.open()
    await next.pin('b', 1_000n)
    await next.prepare('b', payees(1_000n))
    const [, second] = next.payouts()
    await node.send(second?.raw ?? new Uint8Array())
    await bitcoind.mine(1)
    await next.advance()
    expect(next.payouts().map(({ state, height: at }) => [state, at])).toEqual([
      ['confirmed', height],
      ['confirmed', height + 1],
    ])
  })

  it('goes back to broadcast after a reorg, and is paid once in the end', async () => {
    using treasury = await openTreasury(50_000n)
    const { outputs, raw } = await prepared(treasury)
    const payer = treasury.open()
    await payer.advance()
    await bitcoind.mine(2)
    await payer.advance()
    expect(only(payer).state).toBe('confirmed')
    await bitcoind.reorg(2)
    await payer.advance()
    expect(only(payer)).toMatchObject({ state: 'broadcast', height: null })
    await bitcoind.restart() // the node forgets its mempool
    expect(await mempool()).toEqual([])
    await payer.advance()
    await bitcoind.mine(3)
    await payer.advance()
    expect(only(payer).state).toBe('settled')
    expect(hex(only(payer).raw)).toBe(raw)
    await expectPaidOnce(outputs)
  })

  it('sends a chain of payouts again in order after a reorg', async () => {
    using treasury = await openTreasury(50_000n)
    const { txid } = await prepared(treasury)
    const payer = treasury.open()
    await payer.advance()
    await bitcoind.mine(1)
    treasury.coins.push({ txid, vout: 3, valueSats: only(payer).changeSats })
    await payer.pin('b', 1_000n)
    await payer.prepare('b', payees(1_000n))
    await payer.advance()
    await bitcoind.mine(1)
    await payer.advance()
    expect(payer.payouts().map(({ state }) => state)).toEqual(['confirmed', 'confirmed'])
    await bitcoind.reorg(2)
    await bitcoind.restart()
    await payer.advance()
    expect(payer.payouts().map(({ state, trouble }) => [state, trouble])).toEqual([
      ['broadcast', null],
      ['broadcast', null],
    ])
    await bitcoind.mine(1)
    await payer.advance()
    expect(payer.payouts().map(({ state }) => state)).toEqual(['confirmed', 'confirmed'])
  })

  it('says so when its pinned input was spent by somebody else, never builds anew, and goes on with the rest', async () => {
    using treasury = await openTreasury(50_000n, 40_000n)
    const { raw } = await prepared(treasury)
    const payer = treasury.open()
    await payer.pin('b', 10_000n)
    await payer.prepare('b', payees(10_000n))
    // An older copy of the database, which knows nothing of it, pays from the same coin.
    const rival = treasury.open({ db: openDatabase(':memory:') })
    await rival.pin('z', 5_000n)
    await rival.prepare('z', payees(5_000n))
    await rival.advance()
    await bitcoind.mine(1)
    await payer.advance()
    const [first, second] = payer.payouts()
    expect(first?.state).toBe('prepared')
    expect(first?.trouble).toContain('an input is missing or spent')
    expect(hex(first?.raw)).toBe(raw)
    expect(second?.state).toBe('broadcast')
    await bitcoind.mine(1)
  })
})
