import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RegtestNode, startBitcoind } from '../../regtest/start-bitcoind.ts'
import { anchorNext, hex, mempool, mineEmpty, onlyAnchor, openDatabase, openSite } from './anchor-site.ts'

let bitcoind: RegtestNode

beforeAll(async () => {
  bitcoind = await startBitcoind()
})

afterAll(() => bitcoind?.stop())

describe('an anchor that misses its block', () => {
  it('is replaced by the newest checkpoint, which pays for both', async () => {
    using site = await openSite(bitcoind)
    const anchorer = site.open()
    site.grow(1)
    await anchorer.advance()
    const first = onlyAnchor(anchorer)
    site.grow(2)
    await anchorer.advance()
    expect(onlyAnchor(anchorer).txid).toBe(first.txid)
    await mineEmpty(bitcoind)
    await anchorer.advance()
    const second = onlyAnchor(anchorer)
    expect(second).toMatchObject({ index: 0, state: 'broadcast', size: 3, feeSats: 324n })
    expect(await mempool(bitcoind)).toEqual([second.txid])
    await bitcoind.mine(1)
    await anchorer.advance()
    expect(onlyAnchor(anchorer)).toMatchObject({ state: 'mined', size: 3, txid: second.txid })
  })

  it('gives way to an older sibling that a miner took, which then is the anchor and the seal', async () => {
    using site = await openSite(bitcoind)
    const anchorer = site.open()
    site.grow(1)
    await anchorer.advance()
    const older = onlyAnchor(anchorer)
    site.grow(1)
    await mineEmpty(bitcoind)
    await anchorer.advance()
    expect(onlyAnchor(anchorer).size).toBe(2)
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

  it('pays for what a newer copy of the database built on it, too', async () => {
    using site = await openSite(bitcoind)
    const anchorer = site.open()
    site.grow(1)
    await anchorer.advance()
    const file = `${site.payloadFile}.backup`
    await site.db.backup(file)
    await bitcoind.mine(1)
    await anchorNext(bitcoind, site, anchorer)
    await bitcoind.reorg(2)
    expect(await mempool(bitcoind)).toHaveLength(2)
    const db = openDatabase(file)
    const older = site.open({ db })
    await older.advance()
    expect(older.state().stalled).toBeNull()
    expect(onlyAnchor(older)).toMatchObject({ feeSats: 162n * 3n, state: 'broadcast' })
    expect(await mempool(bitcoind)).toEqual([onlyAnchor(older).txid])
    await bitcoind.mine(1)
    db.close()
  })

  it('stalls in the open when the replacement would cost more than the cap, and goes on when it is raised', async () => {
    using site = await openSite(bitcoind, { policy: { capSats: 323n } })
    const anchorer = site.open()
    site.grow(1)
    await anchorer.advance()
    await mineEmpty(bitcoind)
    await anchorer.advance()
    expect(anchorer.state().stalled).toMatchObject({ code: 'cap_reached', neededSats: 324n })
    expect(onlyAnchor(anchorer)).toMatchObject({ state: 'stalled', feeSats: 162n })
    const raised = site.open({ policy: { capSats: 324n } })
    await raised.advance()
    expect(raised.state().stalled).toBeNull()
    expect(onlyAnchor(raised)).toMatchObject({ state: 'broadcast', feeSats: 324n })
    await bitcoind.mine(1)
  })

  it('stalls before the day’s fees are passed', async () => {
    using site = await openSite(bitcoind, { policy: { dayCapSats: 400n } })
    const anchorer = site.open()
    await anchorNext(bitcoind, site, anchorer)
    await anchorNext(bitcoind, site, anchorer)
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
