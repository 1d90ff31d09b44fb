import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseAddress } from '../../anchor/address.ts'
import type { Node } from '../../anchor/node.ts'
import type { PayoutOutput, PayoutRecord } from '../../anchor/payout-record.ts'
import { type RegtestNode, startBitcoind } from '../../regtest/start-bitcoind.ts'
import { hex, mempool, openDatabase, youngNode } from './anchor-site.ts'
import { onlyPayout, openTreasury, payees, paymentOf, type Treasury } from './payer-treasury.ts'

let bitcoind: RegtestNode
let node: Node

beforeAll(async () => {
  bitcoind = await startBitcoind({ extraArgs: ['-persistmempool=0'] })
  node = youngNode(bitcoind.rpc)
})

afterAll(() => bitcoind?.stop())

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

/** A payout of three payees, prepared. */
async function prepared(treasury: Treasury): Promise<{ outputs: PayoutOutput[]; raw: string; txid: string }> {
  const outputs = payees(10_000n, 9_000n, 8_000n)
  const payer = treasury.open()
  await payer.pin('a', 27_000n)
  await payer.prepare('a', outputs)
  const { raw, txid } = paymentOf(onlyPayout(payer))
  return { outputs, raw: hex(raw), txid }
}

async function expectPaidOnce(outputs: PayoutOutput[]): Promise<void> {
  for (const { address, valueSats } of outputs) {
    expect(await received(address)).toEqual({ outputs: 1, sats: valueSats })
  }
}

describe('advance', () => {
  it('broadcasts, confirms and settles at the final depth, reopened at each state', async () => {
    using treasury = await openTreasury(bitcoind, 50_000n)
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
      expect(onlyPayout(payer)).toMatchObject({ state, trouble: null })
      expect(hex(paymentOf(onlyPayout(payer)).raw)).toBe(raw)
    }
    await expectPaidOnce(outputs)
  })

  it('sends the same bytes again after a time-out that had in truth arrived', async () => {
    using treasury = await openTreasury(bitcoind, 50_000n)
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
    expect(onlyPayout(payer)).toMatchObject({
      state: 'prepared',
      trouble: 'no answer to the broadcast: no answer',
    })
    expect(sent).toEqual([raw, raw])
    await treasury.open().advance()
    expect(onlyPayout(treasury.open())).toMatchObject({ state: 'broadcast', trouble: null })
    expect(await mempool(bitcoind)).toEqual([txid])
    await bitcoind.mine(1)
    await expectPaidOnce(outputs)
  })

  it('finds what was sent and mined without its knowledge, though every output is spent', async () => {
    using treasury = await openTreasury(bitcoind, 50_000n)
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
    const change = paymentOf(onlyPayout(treasury.open()))
    treasury.coins.push({ txid, vout: 3, valueSats: change.changeSats, keyIndex: 0 })
    const next = treasury.open()
    await next.pin('b', 1_000n)
    await next.prepare('b', payees(1_000n))
    const [, second] = next.payouts()
    await node.send(paymentOf(second).raw)
    await bitcoind.mine(1)
    await next.advance()
    expect(next.payouts().map(({ state, height: at }) => [state, at])).toEqual([
      ['confirmed', height],
      ['confirmed', height + 1],
    ])
  })

  it('goes back to broadcast after a reorg, and is paid once in the end', async () => {
    using treasury = await openTreasury(bitcoind, 50_000n)
    const { outputs, raw } = await prepared(treasury)
    const payer = treasury.open()
    await payer.advance()
    await bitcoind.mine(2)
    await payer.advance()
    expect(onlyPayout(payer).state).toBe('confirmed')
    await bitcoind.reorg(2)
    await payer.advance()
    expect(onlyPayout(payer)).toMatchObject({ state: 'broadcast', height: null })
    await bitcoind.restart() // the node forgets its mempool
    expect(await mempool(bitcoind)).toEqual([])
    await payer.advance()
    await bitcoind.mine(3)
    await payer.advance()
    expect(onlyPayout(payer).state).toBe('settled')
    expect(hex(paymentOf(onlyPayout(payer)).raw)).toBe(raw)
    await expectPaidOnce(outputs)
  })

  it('sends a chain of payouts again in order after a reorg', async () => {
    using treasury = await openTreasury(bitcoind, 50_000n)
    const { txid } = await prepared(treasury)
    const payer = treasury.open()
    await payer.advance()
    await bitcoind.mine(1)
    treasury.coins.push({ txid, vout: 3, valueSats: paymentOf(onlyPayout(payer)).changeSats, keyIndex: 0 })
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
    using treasury = await openTreasury(bitcoind, 50_000n, 40_000n)
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
    expect(first?.attempts).toHaveLength(1)
    expect(hex(paymentOf(first).raw)).toBe(raw)
    expect(second?.state).toBe('broadcast')
    await bitcoind.mine(1)
  })
})
