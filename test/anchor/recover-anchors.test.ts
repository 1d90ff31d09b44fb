import { rmSync } from 'node:fs'
import type { Database } from 'better-sqlite3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { txidOf } from '../../anchor/anchor-transaction.ts'
import { readPayloads } from '../../anchor/payload-file.ts'
import { recoverAnchors } from '../../anchor/recover-anchors.ts'
import { type RegtestNode, startBitcoind } from '../../regtest/start-bitcoind.ts'
import {
  anchorNext,
  hex,
  mineEmpty,
  openDatabase,
  openSite,
  POLICY,
  type Site,
  stealSeal,
} from './anchor-site.ts'
import { expectWhole } from './expect-whole.ts'

let bitcoind: RegtestNode

beforeAll(async () => {
  bitcoind = await startBitcoind()
})

afterAll(() => bitcoind?.stop())

const METHODS = ['dual', 'taproot'] as const

async function recover(site: Site, db: Database, change: Partial<Parameters<typeof recoverAnchors>[0]> = {}) {
  const { method, node, secretKey, firstSeal, payloadFile } = site
  return recoverAnchors({
    ...{ db, node, method, secretKey, firstSeal, payloadFile },
    origin: 'test.example/log',
    finalDepth: POLICY.finalDepth,
    fromHeight: 0,
    log: { size: site.size, root: site.root },
    ...change,
  })
}

/** Without what no chain can tell: which number a row had, and what was tried beside. */
function told(records: ReturnType<ReturnType<Site['open']>['anchors']>) {
  return records.map(({ raw, root, payload, header, branch, ...rest }) => ({
    ...rest,
    raw: hex(raw),
    root: hex(root),
    payload: hex(payload),
    header: hex(header),
    branch: branch && { ...branch, siblings: branch.siblings.map(hex) },
  }))
}

describe('a lost database', () => {
  it.each(METHODS)(
    'is rebuilt from key, payload file, log and chain by method %s, and goes on',
    async (method) => {
      using site = await openSite(bitcoind, { method, sealSats: 600n })
      site.topUps.push(await site.fund(50_000n))
      await bitcoind.mine(5)
      const anchorer = site.open()
      for (let round = 0; round < 3; round++) await anchorNext(bitcoind, site, anchorer)
      // A replaced one, whose payload is in the file as well, and then ones that are not final yet.
      site.grow(2)
      await anchorer.advance()
      await mineEmpty(bitcoind)
      site.grow(1)
      await anchorer.advance()
      await bitcoind.mine(4)
      await anchorer.advance()
      const before = anchorer.anchors()
      expect(before.map(({ state }) => state)).toContain('final')
      expect(before.map(({ state }) => state)).toContain('mined')
      expect(before.map(({ topUpSats }) => topUpSats)).toContain(50_000n)

      const db = openDatabase(':memory:')
      expect(await recover(site, db)).toEqual({ found: before.length, brokenBy: null })
      const recovered = site.open({ db })
      expect(told(recovered.anchors())).toEqual(told(before))
      await recovered.advance()
      expect(recovered.state()).toMatchObject({ stalled: null, inDoubt: false })
      await anchorNext(bitcoind, site, recovered)
      expect(recovered.anchors()).toHaveLength(before.length + 1)
      await expectWhole(site, recovered)
      db.close()
    },
  )

  it('with its payload file lost too is rebuilt from the OP_RETURNs, and the file with it', async () => {
    using site = await openSite(bitcoind)
    const anchorer = site.open()
    for (let round = 0; round < 2; round++) await anchorNext(bitcoind, site, anchorer)
    rmSync(site.payloadFile)
    const db = openDatabase(':memory:')
    expect(await recover(site, db)).toEqual({ found: 2, brokenBy: null })
    expect(readPayloads(site.payloadFile).map(hex)).toEqual(
      anchorer.anchors().map(({ payload }) => hex(payload)),
    )
    const recovered = site.open({ db })
    await anchorNext(bitcoind, site, recovered)
    await expectWhole(site, recovered)
    db.close()
  })

  it('under several anchors in one block is rebuilt in order', async () => {
    using site = await openSite(bitcoind)
    const anchorer = site.open()
    for (let round = 0; round < 3; round++) await anchorNext(bitcoind, site, anchorer)
    await bitcoind.reorg(3)
    await anchorer.advance()
    await bitcoind.mine(1)
    await anchorer.advance()
    const db = openDatabase(':memory:')
    expect(await recover(site, db)).toEqual({ found: 3, brokenBy: null })
    await expectWhole(site, site.open({ db }))
    db.close()
  })

  it('with anchors of a log that had not grown is rebuilt as well', async () => {
    using site = await openSite(bitcoind, { policy: { heartbeatBlocks: 2 } })
    const anchorer = site.open()
    await anchorNext(bitcoind, site, anchorer)
    for (let blocks = 0; blocks < 3; blocks++) {
      await bitcoind.mine(1)
      await anchorer.advance()
    }
    expect(anchorer.anchors().map(({ size, state }) => [size, state])).toEqual([
      [1, 'mined'],
      [1, 'mined'],
    ])
    const db = openDatabase(':memory:')
    expect(await recover(site, db)).toEqual({ found: 2, brokenBy: null })
    await expectWhole(site, site.open({ db }))
    db.close()
  })

  it('before the first anchor is an empty one', async () => {
    using site = await openSite(bitcoind)
    const db = openDatabase(':memory:')
    expect(await recover(site, db)).toEqual({ found: 0, brokenBy: null })
    const anchorer = site.open({ db })
    await anchorNext(bitcoind, site, anchorer)
    await expectWhole(site, anchorer)
    db.close()
  })
})

describe('an old database', () => {
  it('catches up from its last final anchor, and its abandoned attempts stay abandoned', async () => {
    using site = await openSite(bitcoind)
    const anchorer = site.open()
    await anchorNext(bitcoind, site, anchorer)
    await bitcoind.mine(6)
    site.grow(1)
    await anchorer.advance()
    const file = `${site.payloadFile}.backup`
    await site.db.backup(file)
    await mineEmpty(bitcoind)
    site.grow(1)
    await anchorer.advance()
    await bitcoind.mine(1)
    for (let round = 0; round < 2; round++) await anchorNext(bitcoind, site, anchorer)

    const db = openDatabase(file)
    const { height } = await site.node.chain()
    // From the last final anchor's block on: whatever lies below isn't read.
    const node: Site['node'] = {
      ...site.node,
      blockAt: (at) => (at < height - 12 ? Promise.reject(new Error('too far back')) : site.node.blockAt(at)),
    }
    expect(await recover(site, db, { node })).toEqual({ found: 3, brokenBy: null })
    const recovered = site.open({ db })
    await recovered.advance()
    await anchorNext(bitcoind, site, recovered)
    expect(told(recovered.anchors()).slice(0, 4)).toEqual(told(anchorer.anchors()).slice(0, 4))
    await expectWhole(site, recovered)
    db.close()
  })

  it('that nothing is missing from stays as it is, however often', async () => {
    using site = await openSite(bitcoind)
    const anchorer = site.open()
    for (let round = 0; round < 8; round++) await anchorNext(bitcoind, site, anchorer)
    const before = told(anchorer.anchors())
    for (let times = 0; times < 2; times++) {
      expect((await recover(site, site.db)).brokenBy).toBeNull()
      expect(told(site.open().anchors())).toEqual(before)
    }
    await anchorNext(bitcoind, site, site.open())
    await expectWhole(site, site.open())
  })
})

describe('a seal that was taken for broken', () => {
  it('for want of the payload file is whole again with it', async () => {
    using site = await openSite(bitcoind, { method: 'taproot' })
    site.open()
    const db = openDatabase(':memory:')
    await anchorNext(bitcoind, site, site.open())
    await bitcoind.mine(5)
    const blind = site.open({ db, payloadFile: `${site.payloadFile}.lost` })
    await blind.advance()
    expect(blind.state()).toMatchObject({ stalled: { code: 'seal_broken' } })
    expect(blind.state().broken).not.toBeNull()
    expect(await recover(site, db)).toEqual({ found: 1, brokenBy: null })
    const recovered = site.open({ db })
    await anchorNext(bitcoind, site, recovered)
    expect(recovered.state()).toMatchObject({ stalled: null, broken: null })
    await expectWhole(site, recovered)
    db.close()
  })
})

describe('a reorg deeper than final', () => {
  it('is taken as the truth: what is in the new chain stands, what is not waits to be mined again', async () => {
    using site = await openSite(bitcoind)
    const anchorer = site.open()
    for (let round = 0; round < 8; round++) await anchorNext(bitcoind, site, anchorer)
    const before = anchorer.anchors().map(({ txid }) => txid)
    await bitcoind.reorg(7)
    await bitcoind.rpc.call('generateblock', 'raw(51)', [hex(anchorer.anchors()[1]?.raw)])
    await anchorer.advance()
    expect(anchorer.state().stalled?.code).toBe('deep_reorg')
    expect(await recover(site, site.db)).toEqual({ found: 1, brokenBy: null })
    const recovered = site.open()
    await recovered.advance()
    expect(recovered.state()).toMatchObject({ stalled: null, inDoubt: false })
    expect(
      recovered
        .anchors()
        .map(({ txid }) => txid)
        .slice(0, 7),
    ).toEqual(before.slice(0, 7))
    await bitcoind.mine(1)
    await recovered.advance()
    await expectWhole(site, recovered)
  })
})

describe('what cannot be recovered', () => {
  it('is a chain of seals beyond a foreign spend, which is named', async () => {
    using site = await openSite(bitcoind)
    const raw = stealSeal(site)
    await bitcoind.rpc.call('generateblock', 'raw(51)', [hex(raw)])
    const { height } = await site.node.chain()
    const db = openDatabase(':memory:')
    expect(await recover(site, db)).toEqual({ found: 0, brokenBy: { txid: txidOf(raw), height } })
    db.close()
  })

  it('is an anchor of a log that is not at hand, and nothing is changed then', async () => {
    using site = await openSite(bitcoind)
    const anchorer = site.open()
    for (let round = 0; round < 2; round++) await anchorNext(bitcoind, site, anchorer)
    const db = openDatabase(':memory:')
    await expect(recover(site, db, { log: { size: () => 1, root: site.root } })).rejects.toMatchObject({
      code: 'checkpoint_unknown',
      message: expect.stringMatching(/anchor 1 .* restore a newer backup$/),
    })
    expect(site.open({ db }).anchors()).toEqual([])
    db.close()
  })

  it('is anything from a node that is syncing, or whose tip moves', async () => {
    using site = await openSite(bitcoind)
    await anchorNext(bitcoind, site, site.open())
    const db = openDatabase(':memory:')
    const { node } = site
    const syncing = { ...node, chain: async () => ({ ...(await node.chain()), initialBlockDownload: true }) }
    await expect(recover(site, db, { node: syncing })).rejects.toMatchObject({ code: 'node_syncing' })
    const { height } = await node.chain()
    const moving = {
      ...node,
      async blockAt(at: number) {
        const block = await node.blockAt(at)
        if (at === height) await bitcoind.reorg(1)
        return block
      },
    }
    await expect(recover(site, db, { node: moving })).rejects.toMatchObject({ code: 'tip_moved' })
    const shrunk = { ...node, blockAt: async () => null }
    await expect(recover(site, db, { node: shrunk })).rejects.toMatchObject({ code: 'tip_moved' })
    expect(site.open({ db }).anchors()).toEqual([])
    db.close()
  })

  it('is the fee of a refilled anchor where the node has no undo data', async () => {
    using site = await openSite(bitcoind, { sealSats: 400n })
    site.topUps.push(await site.fund(50_000n))
    await bitcoind.mine(5)
    await anchorNext(bitcoind, site, site.open())
    const db = openDatabase(':memory:')
    const node = { ...site.node, feeInBlock: async () => null }
    await expect(recover(site, db, { node })).rejects.toMatchObject({ code: 'fee_unknown' })
    db.close()
  })
})
