import { readFileSync } from 'node:fs'
import { Transaction } from 'bitcoinjs-lib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { AnchorRecord } from '../../anchor/anchor-record.ts'
import type { Anchorer } from '../../anchor/anchorer.ts'
import { parseHeader } from '../../anchor/block-header.ts'
import { checkAnchorTransaction } from '../../anchor/check-anchor-transaction.ts'
import { encodePayload } from '../../anchor/commitment.ts'
import { checkBranch } from '../../anchor/merkle-branch.ts'
import { type RegtestNode, startBitcoind } from '../../regtest/start-bitcoind.ts'
import { openDatabase, openSite, type Site } from './anchor-site.ts'

let bitcoind: RegtestNode

beforeAll(async () => {
  bitcoind = await startBitcoind({ extraArgs: ['-persistmempool=0'] })
})

afterAll(() => bitcoind?.stop())

function only(anchorer: Anchorer): AnchorRecord {
  const records = anchorer.anchors()
  expect(records).toHaveLength(1)
  const [record] = records
  if (record === undefined) throw new Error('no anchor')
  return record
}

function bytesOf(record: AnchorRecord | undefined): Uint8Array {
  if (record?.raw == null) throw new Error('not signed')
  return record.raw
}

/** The next anchor, mined. */
async function anchorNext(site: Site, anchorer: Anchorer): Promise<void> {
  site.grow(1)
  anchorer.request()
  await anchorer.advance()
  await bitcoind.mine(1)
  await anchorer.advance()
}

function hex(bytes: Uint8Array | null | undefined): string {
  return Buffer.from(bytes ?? []).toString('hex')
}

describe('an anchor', () => {
  it.each([
    ['dual', 162, 2],
    ['taproot', 111, 1],
  ] as const)('by method %s is mined at %i vB, and so is the next one', async (method, vsize, outputs) => {
    using site = await openSite(bitcoind, { method })
    const anchorer = site.open()
    for (const index of [0, 1]) {
      await anchorNext(site, anchorer)
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
    for (let round = 0; round < 3; round++) await anchorNext(site, anchorer)
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

  it('keeps header and branch when it is mined, and is final at six confirmations', async () => {
    using site = await openSite(bitcoind)
    const anchorer = site.open()
    await anchorNext(site, anchorer)
    const { header, branch, txid, height } = only(anchorer)
    if (header === null || branch === null || txid === null) throw new Error('not mined')
    expect(hex(checkBranch(txid, branch))).toBe(hex(parseHeader(header).merkleRoot))
    await bitcoind.mine(4)
    await anchorer.advance()
    expect(only(anchorer).state).toBe('mined')
    await bitcoind.mine(1)
    await anchorer.advance()
    expect(only(anchorer)).toMatchObject({ state: 'final', height })
  })

  it('waits for its cadence, unless it was requested', async () => {
    using site = await openSite(bitcoind, { policy: { everyBlocks: 3 } })
    const anchorer = site.open()
    await anchorNext(site, anchorer)
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
    await anchorNext(site, anchorer)
    anchorer.request()
    await bitcoind.mine(2)
    await anchorer.advance()
    expect(only(anchorer).size).toBe(1)
  })

  it('is not made twice by many calls at once', async () => {
    using site = await openSite(bitcoind)
    const anchorer = site.open()
    site.grow(1)
    await Promise.all(Array.from({ length: 5 }, () => anchorer.advance()))
    expect(await mempool()).toEqual([only(anchorer).txid])
    await bitcoind.mine(1)
  })
})

async function mempool(): Promise<unknown[]> {
  const txids = await bitcoind.rpc.call('getrawmempool')
  return Array.isArray(txids) ? txids : []
}

/** A block that leaves the mempool alone. */
async function mineEmpty(): Promise<void> {
  await bitcoind.rpc.call('generateblock', 'raw(51)', [])
}

describe('an anchor that misses its block', () => {
  it('is replaced by the newest checkpoint, which pays for both', async () => {
    using site = await openSite(bitcoind)
    const anchorer = site.open()
    site.grow(1)
    await anchorer.advance()
    const first = only(anchorer)
    site.grow(2)
    await anchorer.advance()
    expect(only(anchorer).txid).toBe(first.txid)
    await mineEmpty()
    await anchorer.advance()
    const second = only(anchorer)
    expect(second).toMatchObject({ index: 0, state: 'broadcast', size: 3, feeSats: 324n })
    expect(await mempool()).toEqual([second.txid])
    await bitcoind.mine(1)
    await anchorer.advance()
    expect(only(anchorer)).toMatchObject({ state: 'mined', size: 3, txid: second.txid })
  })

  it('gives way to an older sibling that a miner took, which then is the anchor and the seal', async () => {
    using site = await openSite(bitcoind)
    const anchorer = site.open()
    site.grow(1)
    await anchorer.advance()
    const older = only(anchorer)
    site.grow(1)
    await mineEmpty()
    await anchorer.advance()
    expect(only(anchorer).size).toBe(2)
    await bitcoind.rpc.call('generateblock', 'raw(51)', [hex(older.raw)])
    await anchorer.advance()
    expect(anchorer.anchors()[0]).toMatchObject({ state: 'mined', size: 1, txid: older.txid })
    await bitcoind.mine(1)
    await anchorer.advance()
    expect(anchorer.anchors()[1]).toMatchObject({ index: 1, state: 'broadcast', size: 2 })
    await bitcoind.mine(1)
    await anchorer.advance()
    expect(anchorer.anchors().map(({ size, state }) => [size, state])).toEqual([
      [1, 'mined'],
      [2, 'mined'],
    ])
  })

  it('stalls in the open when the replacement would cost more than the cap, and goes on when it is raised', async () => {
    using site = await openSite(bitcoind, { policy: { capSats: 323n } })
    const anchorer = site.open()
    site.grow(1)
    await anchorer.advance()
    await mineEmpty()
    await anchorer.advance()
    expect(anchorer.state().stalled).toMatchObject({ code: 'cap_reached', neededSats: 324n })
    expect(only(anchorer)).toMatchObject({ state: 'stalled', feeSats: 162n })
    const raised = site.open({ policy: { capSats: 324n } })
    await raised.advance()
    expect(raised.state().stalled).toBeNull()
    expect(only(raised)).toMatchObject({ state: 'broadcast', feeSats: 324n })
    await bitcoind.mine(1)
  })

  it('stalls before the day’s fees are passed', async () => {
    using site = await openSite(bitcoind, { policy: { dayCapSats: 400n } })
    const anchorer = site.open()
    await anchorNext(site, anchorer)
    await anchorNext(site, anchorer)
    site.grow(1)
    anchorer.request()
    await anchorer.advance()
    expect(anchorer.state()).toMatchObject({
      inFlight: null,
      feesTodaySats: 324n,
      stalled: { code: 'day_cap_reached', neededSats: 162n },
    })
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
    expect(anchorer.state().stalled?.code).toBe('seal_missing')
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

describe('after a reorg', () => {
  it('rebroadcasts a chain of anchors in order and mines them again unchanged', async () => {
    using site = await openSite(bitcoind)
    const anchorer = site.open()
    await anchorNext(site, anchorer)
    await anchorNext(site, anchorer)
    const before = anchorer.anchors()
    expect(before.map(({ state }) => state)).toEqual(['mined', 'mined'])
    await bitcoind.reorg(2)
    await anchorer.advance()
    const after = anchorer.anchors()
    expect(after.map(({ state, txid, height }) => [state, txid, height])).toEqual(
      before.map(({ txid }) => ['broadcast', txid, null]),
    )
    await bitcoind.mine(1)
    await anchorer.advance()
    const again = anchorer.anchors()
    expect(again.map(({ state, txid }) => [state, txid])).toEqual(before.map(({ txid }) => ['mined', txid]))
    expect(again.map(({ blockHash }) => blockHash)).not.toEqual(before.map(({ blockHash }) => blockHash))
    for (const { header, branch, txid } of again) {
      if (header === null || branch === null || txid === null) throw new Error('not mined')
      expect(hex(checkBranch(txid, branch))).toBe(hex(parseHeader(header).merkleRoot))
    }
  })

  it('replaces only the last of them when they miss the next block', async () => {
    using site = await openSite(bitcoind)
    const anchorer = site.open()
    await anchorNext(site, anchorer)
    await anchorNext(site, anchorer)
    const before = anchorer.anchors()
    await bitcoind.reorg(2)
    await anchorer.advance()
    site.grow(1)
    await mineEmpty()
    await anchorer.advance()
    const after = anchorer.anchors()
    expect(after.map(({ size }) => size)).toEqual([1, 3])
    expect(after[0]?.txid).toBe(before[0]?.txid)
    expect(after[1]?.feeSats).toBe(324n)
    await bitcoind.mine(1)
    await anchorer.advance()
    expect(anchorer.anchors().map(({ size, state }) => [size, state])).toEqual([
      [1, 'mined'],
      [3, 'mined'],
    ])
  })

  it('sends again, in order, what the node lost with its mempool', async () => {
    using site = await openSite(bitcoind)
    const anchorer = site.open()
    await anchorNext(site, anchorer)
    await anchorNext(site, anchorer)
    const before = anchorer.anchors()
    await bitcoind.reorg(2)
    await bitcoind.restart()
    expect(await mempool()).toEqual([])
    await anchorer.advance()
    expect(anchorer.state().stalled).toBeNull()
    expect(new Set(await mempool())).toEqual(new Set(before.map(({ txid }) => txid)))
    await bitcoind.mine(1)
    await anchorer.advance()
    expect(anchorer.anchors().map(({ state, txid }) => [state, txid])).toEqual(
      before.map(({ txid }) => ['mined', txid]),
    )
  })

  it('is halted where an anchor that was final left the chain', async () => {
    using site = await openSite(bitcoind, { policy: { finalDepth: 2 } })
    const anchorer = site.open()
    await anchorNext(site, anchorer)
    await bitcoind.mine(1)
    await anchorer.advance()
    expect(only(anchorer).state).toBe('final')
    await bitcoind.reorg(2)
    site.grow(1)
    await anchorer.advance()
    expect(anchorer.state().stalled?.code).toBe('final_reorged')
    expect(anchorer.anchors()).toHaveLength(1)
    await bitcoind.mine(1)
  })
})

describe('a process that dies', () => {
  it('goes on from a planned anchor with the same plan', async () => {
    using site = await openSite(bitcoind)
    site.grow(1)
    const dying = site.open({ payloadFile: `${site.payloadFile}/no such folder` })
    await expect(dying.advance()).rejects.toThrow(/ENOTDIR|ENOENT/)
    const planned = only(dying)
    expect(planned).toMatchObject({ state: 'planned', txid: null })
    const anchorer = site.open()
    await anchorer.advance()
    expect(only(anchorer)).toMatchObject({ state: 'broadcast', feeSats: planned.feeSats })
    expect(hex(only(anchorer).payload)).toBe(hex(planned.payload))
    await bitcoind.mine(1)
  })

  it('sends the signed bytes that it kept', async () => {
    using site = await openSite(bitcoind)
    site.grow(1)
    const cut: Site['node'] = { ...site.node, send: () => Promise.reject(new Error('killed before sending')) }
    const dying = site.open({ node: cut })
    await expect(dying.advance()).rejects.toThrow('killed')
    const signed = only(dying)
    expect(signed.state).toBe('signed')
    const anchorer = site.open()
    await anchorer.advance()
    expect(only(anchorer).state).toBe('broadcast')
    expect(hex(bytesOf(only(anchorer)))).toBe(hex(bytesOf(signed)))
    await bitcoind.mine(1)
  })

  it('takes an anchor that was sent, and mined, without its knowledge', async () => {
    using site = await openSite(bitcoind)
    site.grow(1)
    const cut: Site['node'] = {
      ...site.node,
      async send(raw) {
        await site.node.send(raw)
        throw new Error('killed after sending')
      },
    }
    const dying = site.open({ node: cut })
    await expect(dying.advance()).rejects.toThrow('killed')
    expect(only(dying).state).toBe('signed')
    await bitcoind.mine(2)
    const anchorer = site.open()
    await anchorer.advance()
    expect(only(anchorer)).toMatchObject({ state: 'mined', txid: only(dying).txid })
  })

  it('sends again after a time-out, and never builds anew', async () => {
    using site = await openSite(bitcoind)
    site.grow(1)
    const mute: Site['node'] = {
      ...site.node,
      send: () => Promise.resolve({ kind: 'unknown', detail: 'no answer' }),
    }
    const anchorer = site.open({ node: mute })
    await anchorer.advance()
    expect(anchorer.state().stalled?.code).toBe('send_unknown')
    const signed = only(anchorer)
    const answered = site.open()
    await answered.advance()
    expect(await mempool()).toEqual([signed.txid])
    await bitcoind.mine(1)
    await answered.advance()
    expect(only(answered)).toMatchObject({ state: 'mined', txid: signed.txid })
  })

  it('stays final when it is opened again', async () => {
    using site = await openSite(bitcoind)
    await anchorNext(site, site.open())
    await bitcoind.mine(5)
    await site.open().advance()
    const anchorer = site.open()
    expect(only(anchorer).state).toBe('final')
    await anchorer.advance()
    expect(only(anchorer).state).toBe('final')
  })
})
