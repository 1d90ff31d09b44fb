import { readFileSync } from 'node:fs'
import { Transaction } from 'bitcoinjs-lib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Anchorer } from '../../anchor/anchorer.ts'
import { parseHeader } from '../../anchor/block-header.ts'
import { checkAnchorTransaction } from '../../anchor/check-anchor-transaction.ts'
import { encodePayload } from '../../anchor/commitment.ts'
import { checkBranch } from '../../anchor/merkle-branch.ts'
import { type RegtestNode, startBitcoind } from '../../regtest/start-bitcoind.ts'
import { anchorNext, hex, mempool, onlyAnchor, openDatabase, openSite, type Site } from './anchor-site.ts'

let bitcoind: RegtestNode

beforeAll(async () => {
  bitcoind = await startBitcoind()
})

afterAll(() => bitcoind?.stop())

describe('an anchor', () => {
  it.each([
    ['dual', 162, 2],
    ['taproot', 111, 1],
  ] as const)('by method %s is mined at %i vB, and so is the next one', async (method, vsize, outputs) => {
    using site = await openSite(bitcoind, { method })
    const anchorer = site.open()
    for (const index of [0, 1]) {
      await anchorNext(bitcoind, site, anchorer)
      const record = anchorer.anchors(index)[0]
      const mined = await site.node.transactionInBlock(record?.txid ?? '', record?.blockHash ?? '')
      const transaction = Transaction.fromBuffer(mined ?? new Uint8Array())
      expect(transaction.virtualSize()).toBe(vsize)
      expect(transaction.outs).toHaveLength(outputs)
      expect(record).toMatchObject({ index, state: 'mined', vsize, feeSats: BigInt(vsize) })
      expect(hex(record?.raw)).toBe(hex(mined))
    }
  })

  it('is one of a chain, each spending the last', async () => {
    using site = await openSite(bitcoind)
    const anchorer = site.open()
    for (let round = 0; round < 3; round++) await anchorNext(bitcoind, site, anchorer)
    const records = anchorer.anchors()
    expect(records.map(({ index, size, state }) => [index, size, state])).toEqual([
      [0, 1, 'mined'],
      [1, 2, 'mined'],
      [2, 3, 'mined'],
    ])
    let spends: { txid: string; vout: number } = site.firstSeal
    for (const { index, size, raw, txid, payload } of records) {
      const expected = encodePayload({ index, origin: 'test.example/log', size, root: site.root(size) })
      expect(hex(payload)).toBe(hex(expected))
      checkAnchorTransaction(raw ?? new Uint8Array(), {
        method: 'dual',
        internalKey: site.internalKey,
        spends,
        payload,
      })
      spends = { txid: txid ?? '', vout: 0 }
    }
    expect(readFileSync(site.payloadFile, 'utf8')).toBe(
      records.map(({ payload }) => `${hex(payload)}\n`).join(''),
    )
    expect(anchorer.state()).toMatchObject({
      inFlight: null,
      stalled: null,
      sealSats: 1_000_000n - 3n * 162n,
      feesTodaySats: 3n * 162n,
      runwayBlocks: Math.floor((1_000_000 - 3 * 162 - 330) / 162),
    })
  })

  it('is read by its index, and by the first entry that it covers', async () => {
    using site = await openSite(bitcoind)
    const anchorer = site.open()
    expect(anchorer.count()).toBe(0)
    expect(anchorer.firstOver(0)).toBeNull()
    for (let round = 0; round < 3; round++) await anchorNext(bitcoind, site, anchorer)
    site.grow(2)
    anchorer.request()
    await anchorer.advance()
    const all = anchorer.anchors()
    expect(all.map(({ size, state }) => [size, state])).toEqual([
      [1, 'mined'],
      [2, 'mined'],
      [3, 'mined'],
      [5, 'broadcast'],
    ])
    expect(anchorer.count()).toBe(4)
    for (let from = 0; from <= 5; from++) {
      for (let end = 0; end <= 5; end++) expect(anchorer.anchors(from, end)).toEqual(all.slice(from, end))
    }
    expect(anchorer.places()).toEqual(
      all.slice(0, 3).map(({ index, state, size, height }) => ({ index, state, size, height })),
    )
    expect([0, 1, 2, 3, 4].map((entry) => anchorer.firstOver(entry))).toEqual([
      ...all.slice(0, 3),
      null,
      null,
    ])
    await bitcoind.mine(1)
  })

  it('keeps header and branch when it is mined, and is final at six confirmations', async () => {
    using site = await openSite(bitcoind)
    const anchorer = site.open()
    await anchorNext(bitcoind, site, anchorer)
    const { header, branch, txid, height } = onlyAnchor(anchorer)
    if (header === null || branch === null || txid === null) throw new Error('not mined')
    expect(hex(checkBranch(txid, branch))).toBe(hex(parseHeader(header).merkleRoot))
    await bitcoind.mine(4)
    await anchorer.advance()
    expect(onlyAnchor(anchorer).state).toBe('mined')
    await bitcoind.mine(1)
    await anchorer.advance()
    expect(onlyAnchor(anchorer)).toMatchObject({ state: 'final', height })
  })

  it('waits for its cadence, unless it was requested', async () => {
    using site = await openSite(bitcoind, { policy: { everyBlocks: 3 } })
    const anchorer = site.open()
    await anchorNext(bitcoind, site, anchorer)
    site.grow(1)
    await bitcoind.mine(2)
    await anchorer.advance()
    expect(anchorer.state().inFlight).toBeNull()
    await bitcoind.mine(1)
    await anchorer.advance()
    expect(anchorer.state().inFlight).toMatchObject({ index: 1, size: 2 })
    await bitcoind.mine(1)
    site.grow(1)
    anchorer.request()
    await site.open().advance()
    expect(anchorer.state().inFlight).toMatchObject({ index: 2, size: 3 })
  })

  it('is not made for an empty log, nor again for one that has not grown', async () => {
    using site = await openSite(bitcoind)
    const anchorer = site.open()
    anchorer.request()
    await anchorer.advance()
    expect(anchorer.anchors()).toEqual([])
    await anchorNext(bitcoind, site, anchorer)
    anchorer.request()
    await bitcoind.mine(2)
    await anchorer.advance()
    expect(onlyAnchor(anchorer).size).toBe(1)
  })

  it('is not made twice by many calls at once', async () => {
    using site = await openSite(bitcoind)
    const anchorer = site.open()
    site.grow(1)
    await Promise.all(Array.from({ length: 5 }, () => anchorer.advance()))
    expect(await mempool(bitcoind)).toEqual([onlyAnchor(anchorer).txid])
    await bitcoind.mine(1)
  })
})

describe('the seal', () => {
  it('stalls an anchor that would leave dust', async () => {
    using site = await openSite(bitcoind, { sealSats: 491n })
    const anchorer = site.open()
    site.grow(1)
    await anchorer.advance()
    expect(anchorer.state().stalled?.code).toBe('seal_too_small')
    expect(anchorer.anchors()).toEqual([])
  })

  it('is waited for until it is mined', async () => {
    using site = await openSite(bitcoind)
    const disconnected = await bitcoind.rpc.call('getbestblockhash')
    await bitcoind.rpc.call('invalidateblock', disconnected)
    site.grow(1)
    const anchorer = site.open()
    await anchorer.advance()
    expect(anchorer.state().stalled?.code).toBe('seal_unconfirmed')
    await bitcoind.rpc.call('reconsiderblock', disconnected)
    await anchorer.advance()
    expect(onlyAnchor(anchorer).state).toBe('broadcast')
    await bitcoind.mine(1)
  })

  it('is not spent when it holds another value than genesis says', async () => {
    using site = await openSite(bitcoind)
    site.firstSeal.valueSats -= 1n
    site.grow(1)
    const anchorer = site.open()
    await anchorer.advance()
    expect(anchorer.state().stalled?.code).toBe('seal_mismatch')
    expect(anchorer.anchors()).toEqual([])
  })

  it('stalls when another copy of the database has spent it', async () => {
    using site = await openSite(bitcoind)
    site.grow(1)
    await using copy = await copyOf(site)
    await copy.anchorer.advance()
    const anchorer = site.open()
    await anchorer.advance()
    expect(anchorer.state().stalled?.code).toBe('seal_contested')
    await bitcoind.mine(1)
    await anchorer.advance()
    expect(anchorer.state()).toMatchObject({ stalled: { code: 'database_old' }, inDoubt: true, broken: null })
    expect(anchorer.anchors()).toEqual([])
  })
})

/** The same site as it would go on from a backup. */
async function copyOf(site: Site): Promise<{ anchorer: Anchorer } & AsyncDisposable> {
  const file = `${site.payloadFile}.copy`
  site.open()
  await site.db.backup(file)
  const db = openDatabase(file)
  return {
    anchorer: site.open({ db, payloadFile: `${file}.payloads` }),
    async [Symbol.asyncDispose]() {
      db.close()
    },
  }
}
