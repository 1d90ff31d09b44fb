import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseHeader } from '../../anchor/block-header.ts'
import { checkBranch } from '../../anchor/merkle-branch.ts'
import { type RegtestNode, startBitcoind } from '../../regtest/start-bitcoind.ts'
import { anchorNext, hex, mempool, mineEmpty, onlyAnchor, openSite } from './anchor-site.ts'

let bitcoind: RegtestNode

beforeAll(async () => {
  bitcoind = await startBitcoind({ extraArgs: ['-persistmempool=0'] })
})

afterAll(() => bitcoind?.stop())

describe('after a reorg', () => {
  it('rebroadcasts a chain of anchors in order and mines them again unchanged', async () => {
    using site = await openSite(bitcoind)
    const anchorer = site.open()
    await anchorNext(bitcoind, site, anchorer)
    await anchorNext(bitcoind, site, anchorer)
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
    await anchorNext(bitcoind, site, anchorer)
    await anchorNext(bitcoind, site, anchorer)
    const before = anchorer.anchors()
    await bitcoind.reorg(2)
    await anchorer.advance()
    site.grow(1)
    await mineEmpty(bitcoind)
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

  it('counts the fees of all that wait against the day', async () => {
    using site = await openSite(bitcoind)
    const anchorer = site.open()
    await anchorNext(bitcoind, site, anchorer)
    await anchorNext(bitcoind, site, anchorer)
    await bitcoind.reorg(2)
    await anchorer.advance()
    await mineEmpty(bitcoind)
    const tight = site.open({ policy: { dayCapSats: 162n + 323n } })
    await tight.advance()
    expect(tight.state().stalled).toMatchObject({ code: 'day_cap_reached', neededSats: 324n })
    const enough = site.open({ policy: { dayCapSats: 162n + 324n } })
    await enough.advance()
    expect(enough.anchors().map(({ feeSats }) => feeSats)).toEqual([162n, 324n])
    await bitcoind.mine(1)
  })

  it('sends again the older sibling that had been mined, and what was built on it', async () => {
    using site = await openSite(bitcoind)
    const anchorer = site.open()
    site.grow(1)
    await anchorer.advance()
    const older = onlyAnchor(anchorer)
    site.grow(1)
    await mineEmpty(bitcoind)
    await anchorer.advance()
    await bitcoind.rpc.call('generateblock', 'raw(51)', [hex(older.raw)])
    await anchorer.advance()
    await anchorNext(bitcoind, site, anchorer)
    const before = anchorer.anchors().map(({ txid }) => txid)
    expect(before).toHaveLength(2)
    expect(before[0]).toBe(older.txid)
    await bitcoind.reorg(2)
    await bitcoind.restart()
    await anchorer.advance()
    expect(anchorer.anchors().map(({ txid, state }) => [txid, state])).toEqual(
      before.map((txid) => [txid, 'broadcast']),
    )
    expect(new Set(await mempool(bitcoind))).toEqual(new Set(before))
    await bitcoind.mine(1)
  })

  it('sends again, in order, what the node lost with its mempool', async () => {
    using site = await openSite(bitcoind)
    const anchorer = site.open()
    await anchorNext(bitcoind, site, anchorer)
    await anchorNext(bitcoind, site, anchorer)
    const before = anchorer.anchors()
    await bitcoind.reorg(2)
    await bitcoind.restart()
    expect(await mempool(bitcoind)).toEqual([])
    await anchorer.advance()
    expect(anchorer.state().stalled).toBeNull()
    expect(new Set(await mempool(bitcoind))).toEqual(new Set(before.map(({ txid }) => txid)))
    await bitcoind.mine(1)
    await anchorer.advance()
    expect(anchorer.anchors().map(({ state, txid }) => [state, txid])).toEqual(
      before.map(({ txid }) => ['mined', txid]),
    )
  })

  it('is halted where an anchor that was final left the chain', async () => {
    using site = await openSite(bitcoind, { policy: { finalDepth: 2 } })
    const anchorer = site.open()
    await anchorNext(bitcoind, site, anchorer)
    await bitcoind.mine(1)
    await anchorer.advance()
    expect(onlyAnchor(anchorer).state).toBe('final')
    await bitcoind.reorg(2)
    site.grow(1)
    await anchorer.advance()
    expect(anchorer.state().stalled?.code).toBe('deep_reorg')
    expect(anchorer.anchors()).toHaveLength(1)
    await bitcoind.mine(1)
  })
})
