import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { txidOf } from '../../anchor/anchor-transaction.ts'
import { RpcError } from '../../anchor/rpc-error.ts'
import { type RegtestNode, startBitcoind } from '../../regtest/start-bitcoind.ts'
import { anchorNext, hex, mempool, openDatabase, openSite, type Site, stealSeal } from './anchor-site.ts'
import { expectWhole } from './expect-whole.ts'

let bitcoind: RegtestNode

beforeAll(async () => {
  bitcoind = await startBitcoind({ extraArgs: ['-persistmempool=0'] })
})

afterAll(() => bitcoind?.stop())

describe('a foreign spend of the seal', () => {
  it('is named where it is, and ends the log once it is as deep as a final anchor', async () => {
    using site = await openSite(bitcoind)
    const raw = stealSeal(site)
    const txid = txidOf(raw)
    site.grow(1)
    const anchorer = site.open()
    await bitcoind.rpc.call('generateblock', 'raw(51)', [hex(raw)])
    const { height } = await site.node.chain()
    await bitcoind.mine(4)
    await anchorer.advance()
    expect(anchorer.state()).toMatchObject({ stalled: { code: 'seal_missing' }, broken: null, inDoubt: true })
    expect(anchorer.state().stalled?.detail).toContain(
      `${txid} in block ${height}, for good from block ${height + 5}`,
    )
    await bitcoind.mine(1)
    await anchorer.advance()
    expect(anchorer.state()).toMatchObject({
      stalled: { code: 'seal_broken' },
      broken: { txid, height },
      inDoubt: true,
    })
    const reopened = site.open()
    expect(reopened.state().broken).toEqual({ txid, height })
    await bitcoind.mine(1)
    await reopened.advance()
    expect(reopened.state()).toMatchObject({
      stalled: {
        code: 'seal_broken',
        detail: expect.stringContaining(txid),
        advice: expect.stringContaining('closed'),
      },
    })
    expect(reopened.anchors()).toEqual([])
    expect(await mempool(bitcoind)).toEqual([])
  })

  it('that a reorg undoes is forgotten, and the seal used', async () => {
    using site = await openSite(bitcoind)
    site.grow(1)
    const anchorer = site.open()
    await bitcoind.rpc.call('generateblock', 'raw(51)', [hex(stealSeal(site))])
    await anchorer.advance()
    expect(anchorer.state().stalled?.code).toBe('seal_missing')
    await bitcoind.reorg(1)
    await anchorer.advance()
    expect(anchorer.state().stalled?.code).toBe('seal_contested')
    await bitcoind.restart() // and the mempool with the thief's payment is gone
    await anchorer.advance()
    expect(anchorer.state()).toMatchObject({ stalled: null, broken: null, inDoubt: false })
    await bitcoind.mine(1)
    await anchorer.advance()
    await expectWhole(site, anchorer)
  })
})

describe('a seal that an anchor unknown to this database has spent', () => {
  it.each(['dual', 'taproot'] as const)(
    'by method %s makes the database an old one, not the seal a broken one',
    async (method) => {
      using site = await openSite(bitcoind, { method })
      const file = `${site.payloadFile}.backup`
      site.open()
      await site.db.backup(file)
      await anchorNext(bitcoind, site, site.open())
      await bitcoind.mine(10)
      const db = openDatabase(file)
      const restored = site.open({ db })
      site.grow(1)
      await restored.advance()
      expect(restored.state()).toMatchObject({
        stalled: { code: 'database_old', advice: expect.stringContaining('assay anchor recover') },
        broken: null,
        inDoubt: true,
      })
      expect(restored.anchors()).toEqual([])
      expect(await mempool(bitcoind)).toEqual([])
      db.close()
      await site.open().advance()
      await bitcoind.mine(1)
      const anchorer = site.open()
      await anchorer.advance()
      await expectWhole(site, anchorer)
    },
  )
})

it('a database too old for its seal to be looked for is told to recover, not to wait', async () => {
  using site = await openSite(bitcoind)
  const file = `${site.payloadFile}.backup`
  site.open()
  await site.db.backup(file)
  await anchorNext(bitcoind, site, site.open())
  await bitcoind.mine(300)
  const db = openDatabase(file)
  const restored = site.open({ db })
  await restored.advance()
  expect(restored.state()).toMatchObject({
    stalled: { code: 'seal_missing', advice: expect.stringContaining('assay anchor recover') },
    inDoubt: true,
  })
  db.close()
})

it('a database whose seal could not be looked at, as the node broke off, stays in doubt', async () => {
  using site = await openSite(bitcoind)
  const away = new RpcError('rpc_timeout', 'no answer', { sent: 'unknown' })
  let isAway = true
  const txOut: Site['node']['txOut'] = (...asked) =>
    isAway ? Promise.reject(away) : site.node.txOut(...asked)
  const anchorer = site.open({ node: { ...site.node, txOut } })
  await expect(anchorer.advance()).rejects.toBe(away)
  expect(anchorer.judgement()).toEqual({ stalled: null, inDoubt: true })
  isAway = false
  await anchorer.advance()
  expect(anchorer.judgement()).toEqual({ stalled: null, inDoubt: false })
})

describe('a key that is not the seal’s', () => {
  it('signs nothing', async () => {
    using site = await openSite(bitcoind)
    using other = await openSite(bitcoind)
    Object.assign(site.firstSeal, other.firstSeal)
    site.grow(1)
    const anchorer = site.open()
    await anchorer.advance()
    expect(anchorer.state()).toMatchObject({ stalled: { code: 'seal_mismatch' }, inDoubt: true })
    expect(anchorer.anchors()).toEqual([])
  })
})
