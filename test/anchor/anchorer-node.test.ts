import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openNode } from '../../anchor/node.ts'
import { NodeError } from '../../anchor/node-error.ts'
import { connectRpc } from '../../anchor/rpc.ts'
import { freePort } from '../../regtest/free-port.ts'
import { type RegtestNode, startBitcoind } from '../../regtest/start-bitcoind.ts'
import { anchorNext, mineEmpty, onlyAnchor, openSite, type Site } from './anchor-site.ts'

let bitcoind: RegtestNode

beforeAll(async () => {
  bitcoind = await startBitcoind()
})

afterAll(() => bitcoind?.stop())

describe('a node that will not take an anchor', () => {
  /** Prices as of a node that relays for nothing. */
  const free = (site: Site): Site['node'] => ({
    ...site.node,
    feeMarket: async (targetBlocks) => ({
      ...(await site.node.feeMarket(targetBlocks)),
      mempoolMinSatPerKvb: 0n,
      relayMinSatPerKvb: 0n,
      incrementalSatPerKvb: 0n,
    }),
  })

  it('stalls it with the reason, and gets a better one at the next block', async () => {
    using site = await openSite(bitcoind)
    site.grow(1)
    const cheap = site.open({ node: free(site), policy: { floorSatPerKvb: 1n } })
    await cheap.advance()
    expect(cheap.state().stalled).toMatchObject({ code: 'refused', detail: expect.stringContaining('-26') })
    expect(onlyAnchor(cheap)).toMatchObject({ state: 'stalled', feeSats: 1n })
    const anchorer = site.open()
    await anchorer.advance()
    expect(anchorer.state().stalled?.code).toBe('refused')
    await bitcoind.mine(1)
    await anchorer.advance()
    expect(anchorer.state().stalled).toBeNull()
    expect(onlyAnchor(anchorer)).toMatchObject({ state: 'broadcast', feeSats: 162n })
    await bitcoind.mine(1)
  })

  it('leaves the older one standing when it refuses a replacement', async () => {
    using site = await openSite(bitcoind)
    site.grow(1)
    const anchorer = site.open()
    await anchorer.advance()
    const first = onlyAnchor(anchorer)
    await mineEmpty(bitcoind)
    site.grow(1)
    const cheap = site.open({ node: free(site) })
    await cheap.advance()
    expect(cheap.state().stalled?.code).toBe('refused')
    expect(onlyAnchor(cheap)).toMatchObject({ txid: first.txid, size: 1, state: 'stalled' })
    await anchorer.advance()
    expect(onlyAnchor(anchorer)).toMatchObject({ size: 2, feeSats: 324n, state: 'broadcast' })
    await bitcoind.mine(1)
  })

  it('is told apart from one that does not answer', async () => {
    using site = await openSite(bitcoind)
    site.grow(1)
    const url = `http://127.0.0.1:${await freePort()}`
    const rpc = connectRpc({ url, username: 'nobody', password: 'listens' })
    const anchorer = site.open({ node: openNode(rpc, 'regtest') })
    await expect(anchorer.advance()).rejects.toMatchObject({ code: 'rpc_unreachable' })
    rpc.close()
    expect(anchorer.anchors()).toEqual([])
    const answered = site.open()
    await answered.advance()
    expect(onlyAnchor(answered).state).toBe('broadcast')
    await bitcoind.mine(1)
  })

  it('is not believed while it catches up', async () => {
    using site = await openSite(bitcoind)
    await anchorNext(bitcoind, site, site.open())
    const syncing: Site['node'] = {
      ...site.node,
      chain: async () => ({ ...(await site.node.chain()), initialBlockDownload: true }),
      blockHash: async () => null,
      txOut: async () => null,
    }
    const anchorer = site.open({ node: syncing })
    await anchorer.advance()
    expect(anchorer.state().stalled?.code).toBe('node_syncing')
    expect(onlyAnchor(anchorer).state).toBe('mined')
  })

  it('is not believed while it lacks the block of a final anchor', async () => {
    using site = await openSite(bitcoind, { policy: { finalDepth: 1 } })
    await anchorNext(bitcoind, site, site.open())
    const behind: Site['node'] = { ...site.node, blockHash: async () => null, txOut: async () => null }
    const anchorer = site.open({ node: behind })
    await anchorer.advance()
    expect(anchorer.state().stalled?.code).toBe('node_behind')
    expect(onlyAnchor(anchorer).state).toBe('final')
  })

  it('that has pruned the block of an anchor is named with that block, and another one is believed', async () => {
    using site = await openSite(bitcoind, { policy: { finalDepth: 1 } })
    const anchorer = site.open()
    await anchorNext(bitcoind, site, anchorer)
    site.grow(1)
    anchorer.request()
    await anchorer.advance()
    await bitcoind.mine(2)
    const { height } = await site.node.chain()
    const pruned = new NodeError('block_pruned', 'Block not available (pruned data)')
    const reopened = site.open({ node: { ...site.node, blockTxids: () => Promise.reject(pruned) } })
    await reopened.advance()
    expect(reopened.state()).toMatchObject({
      stalled: {
        code: 'block_pruned',
        detail: expect.stringContaining(`block ${height - 1}`),
        advice: expect.stringContaining('connect a node that has'),
      },
      inDoubt: true,
    })
    await anchorer.advance()
    expect(anchorer.state()).toMatchObject({ stalled: null, inDoubt: false })
    expect(anchorer.anchors()).toMatchObject([{}, { state: 'final', height: height - 1 }])
  })

  it('is asked again when its tip moves, and left alone when it will not stand still', async () => {
    using site = await openSite(bitcoind)
    site.grow(1)
    let looks = 0
    const restless: Site['node'] = {
      ...site.node,
      async chain() {
        looks++
        await bitcoind.mine(1)
        return site.node.chain()
      },
    }
    const anchorer = site.open({ node: restless })
    await anchorer.advance()
    expect(anchorer.state().stalled?.code).toBe('tip_moving')
    expect(looks).toBe(8)
  })
})
