import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Anchorer } from '../../anchor/anchorer.ts'
import { type RegtestNode, startBitcoind } from '../../regtest/start-bitcoind.ts'
import { anchorNext, mempool, openSite, type Site } from './anchor-site.ts'
import { expectWhole } from './expect-whole.ts'

let bitcoind: RegtestNode

beforeAll(async () => {
  bitcoind = await startBitcoind({ extraArgs: ['-persistmempool=0'] })
})

afterAll(() => bitcoind?.stop())

/** One anchor in each of so many blocks. */
async function anchorBlocks(site: Site, anchorer: Anchorer, blocks: number): Promise<void> {
  for (let block = 0; block < blocks; block++) await anchorNext(bitcoind, site, anchorer)
}

function txids(anchorer: Anchorer): (string | null)[] {
  return anchorer.anchors().map(({ txid }) => txid)
}

function states(anchorer: Anchorer): string[] {
  return anchorer.anchors().map(({ state }) => state)
}

const DEPTHS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]

describe('a reorg less deep than final', () => {
  it.each(DEPTHS)(
    'of %i blocks puts back that many anchors, and replaces only the one in flight',
    async (depth) => {
      using site = await openSite(bitcoind, { policy: { finalDepth: 13 } })
      const anchorer = site.open()
      await anchorBlocks(site, anchorer, depth + 1)
      site.grow(1)
      anchorer.request()
      await anchorer.advance()
      const before = txids(anchorer)
      const inFlight = before.pop()
      site.grow(1)
      await bitcoind.reorg(depth)
      await anchorer.advance()
      const after = txids(anchorer)
      expect(states(anchorer)).toEqual(['mined', ...Array.from({ length: depth + 1 }, () => 'broadcast')])
      expect(after.slice(0, -1)).toEqual(before)
      expect(after.at(-1)).not.toBe(inFlight)
      expect(new Set(await mempool(bitcoind))).toEqual(new Set(after.slice(1)))
      await bitcoind.mine(1)
      await anchorer.advance()
      expect(txids(anchorer)).toEqual(after)
      await expectWhole(site, anchorer)
    },
  )

  it.each(DEPTHS)('of %i blocks, with the mempool lost, sends the anchors again in order', async (depth) => {
    using site = await openSite(bitcoind, { method: 'taproot', policy: { finalDepth: 13 } })
    const anchorer = site.open()
    await anchorBlocks(site, anchorer, depth)
    const before = txids(anchorer)
    await bitcoind.reorg(depth)
    await bitcoind.restart()
    expect(await mempool(bitcoind)).toEqual([])
    await anchorer.advance()
    expect(anchorer.state().stalled).toBeNull()
    expect(txids(anchorer)).toEqual(before)
    expect(new Set(await mempool(bitcoind))).toEqual(new Set(before))
    await bitcoind.mine(1)
    await anchorer.advance()
    await expectWhole(site, anchorer)
  })

  it.each([1, 2, 3, 4, 5])(
    'of %i blocks leaves final anchors as they are beside nearly final ones',
    async (depth) => {
      using site = await openSite(bitcoind)
      const anchorer = site.open()
      await anchorBlocks(site, anchorer, 7)
      const final = anchorer.anchors().slice(0, 2)
      expect(states(anchorer)).toEqual(['final', 'final', 'mined', 'mined', 'mined', 'mined', 'mined'])
      const before = txids(anchorer)
      await bitcoind.reorg(depth)
      await anchorer.advance()
      expect(anchorer.anchors().slice(0, 2)).toEqual(final)
      // The rival branch is one block longer: what had five confirmations and kept its block has six.
      const finals = depth < 5 ? 3 : 2
      const expected = before.map((_, i) => (i < finals ? 'final' : i < 7 - depth ? 'mined' : 'broadcast'))
      expect(states(anchorer)).toEqual(expected)
      await bitcoind.mine(1)
      await anchorer.advance()
      expect(txids(anchorer)).toEqual(before)
      await expectWhole(site, anchorer)
      await bitcoind.mine(5)
      await anchorer.advance()
      expect(new Set(states(anchorer))).toEqual(new Set(['final']))
      expect(anchorer.anchors().slice(0, 2)).toEqual(final)
    },
  )

  it.each([1, 5, 10])('of %i blocks finds an anchor that was only planned, and signs it', async (depth) => {
    using site = await openSite(bitcoind, { policy: { finalDepth: 13 } })
    const anchorer = site.open()
    await anchorBlocks(site, anchorer, depth)
    site.grow(1)
    const dying = site.open({ payloadFile: `${site.payloadFile}/no such folder` })
    dying.request()
    await expect(dying.advance()).rejects.toThrow(/ENOTDIR|ENOENT/)
    expect(states(dying).at(-1)).toBe('planned')
    await bitcoind.reorg(depth)
    await anchorer.advance()
    expect(new Set(states(anchorer))).toEqual(new Set(['broadcast']))
    await bitcoind.mine(1)
    await anchorer.advance()
    await expectWhole(site, anchorer)
  })
})

describe('a reorg deeper than final', () => {
  it.each([6, 7, 8, 9, 10])(
    'of %i blocks stops everything and says so, until the chain is back',
    async (depth) => {
      using site = await openSite(bitcoind)
      const anchorer = site.open()
      await anchorBlocks(site, anchorer, depth)
      expect(anchorer.state()).toMatchObject({ stalled: null, inDoubt: false })
      const before = anchorer.anchors()
      const { connected } = await bitcoind.reorg(depth)
      site.grow(1)
      await anchorer.advance()
      expect(anchorer.state()).toMatchObject({
        stalled: { code: 'deep_reorg', advice: expect.stringContaining('recover') },
        inDoubt: true,
      })
      expect(anchorer.anchors()).toEqual(before)
      await bitcoind.rpc.call('invalidateblock', connected[0])
      anchorer.request()
      await anchorer.advance()
      expect(anchorer.state()).toMatchObject({ stalled: null, inDoubt: false })
      await bitcoind.mine(1)
      await anchorer.advance()
      await expectWhole(site, anchorer)
    },
  )
})
