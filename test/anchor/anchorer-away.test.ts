import { rmSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connectRpc } from '../../anchor/rpc.ts'
import { type RegtestNode, startBitcoind } from '../../regtest/start-bitcoind.ts'
import { anchorNext, mempool, mineEmpty, onlyAnchor, openSite, type Site, youngNode } from './anchor-site.ts'
import { expectWhole } from './expect-whole.ts'
import { openFaultyProxy } from './faulty-proxy.ts'

/** A day. */
const AWAY_BLOCKS = 144

let bitcoind: RegtestNode

beforeAll(async () => {
  bitcoind = await startBitcoind({ extraArgs: ['-persistmempool=0'] })
})

afterAll(() => bitcoind?.stop())

/** An anchorer that can be cut off from its node. */
async function openRemote(site: Site) {
  const proxy = await openFaultyProxy(bitcoind.rpcUrl)
  const rpc = connectRpc({ url: proxy.url, cookieFile: bitcoind.cookieFile })
  return {
    anchorer: site.open({ node: youngNode(rpc) }),
    cut: () => proxy.meet(() => 'drop_before'),
    restore: () => proxy.meet(() => null),
    async [Symbol.asyncDispose]() {
      rpc.close()
      await proxy[Symbol.asyncDispose]()
    },
  }
}

describe('a node that is gone for 144 blocks', () => {
  it('comes back with the anchor that it had mined, final', async () => {
    using site = await openSite(bitcoind)
    await using remote = await openRemote(site)
    const { anchorer } = remote
    site.grow(1)
    await anchorer.advance()
    remote.cut()
    await bitcoind.mine(1)
    await expect(anchorer.advance()).rejects.toMatchObject({ code: 'rpc_unreachable' })
    await bitcoind.mine(AWAY_BLOCKS - 1)
    site.grow(1)
    await expect(anchorer.advance()).rejects.toMatchObject({ code: 'rpc_unreachable' })
    expect(onlyAnchor(anchorer).state).toBe('broadcast')
    remote.restore()
    await anchorer.advance()
    expect(anchorer.anchors().map(({ state, size }) => [state, size])).toEqual([
      ['final', 1],
      ['broadcast', 2],
    ])
    await bitcoind.mine(1)
    await anchorer.advance()
    await expectWhole(site, anchorer)
  })

  it('comes back without its mempool, and gets the newest checkpoint', async () => {
    using site = await openSite(bitcoind)
    await using remote = await openRemote(site)
    const { anchorer } = remote
    await anchorNext(bitcoind, site, anchorer)
    site.grow(1)
    anchorer.request()
    await anchorer.advance()
    remote.cut()
    await bitcoind.restart()
    expect(await mempool(bitcoind)).toEqual([])
    await bitcoind.mine(AWAY_BLOCKS)
    site.grow(1)
    remote.restore()
    await anchorer.advance()
    expect(anchorer.anchors().map(({ state, size }) => [state, size])).toEqual([
      ['final', 1],
      ['broadcast', 3],
    ])
    await bitcoind.mine(1)
    await anchorer.advance()
    await expectWhole(site, anchorer)
  })

  it('comes back with an older sibling mined, which is the anchor', async () => {
    using site = await openSite(bitcoind)
    await using remote = await openRemote(site)
    const { anchorer } = remote
    site.grow(1)
    await anchorer.advance()
    const { txid, raw } = onlyAnchor(anchorer)
    await mineEmpty(bitcoind)
    site.grow(1)
    await anchorer.advance()
    expect(onlyAnchor(anchorer).txid).not.toBe(txid)
    remote.cut()
    await bitcoind.rpc.call('generateblock', 'raw(51)', [Buffer.from(raw ?? []).toString('hex')])
    await bitcoind.mine(AWAY_BLOCKS - 1)
    remote.restore()
    await anchorer.advance()
    expect(anchorer.anchors()[0]).toMatchObject({ txid, state: 'final', size: 1 })
    await bitcoind.mine(1)
    await anchorer.advance()
    await expectWhole(site, anchorer)
  })
})

describe('a cookie that changes', () => {
  it('between two calls of one advance is read again', async () => {
    using site = await openSite(bitcoind)
    const rpc = connectRpc({ url: bitcoind.rpcUrl, cookieFile: bitcoind.cookieFile })
    const node = youngNode(rpc)
    const anchorer = site.open({
      node: {
        ...node,
        async send(raw) {
          await bitcoind.restart()
          return node.send(raw)
        },
      },
    })
    site.grow(1)
    await anchorer.advance()
    expect(onlyAnchor(anchorer).state).toBe('broadcast')
    await bitcoind.mine(1)
    await anchorer.advance()
    await expectWhole(site, anchorer)
    rpc.close()
  })

  it('and is away with its node stops nothing but that advance', async () => {
    using site = await openSite(bitcoind)
    const rpc = connectRpc({ url: bitcoind.rpcUrl, cookieFile: bitcoind.cookieFile })
    const anchorer = site.open({ node: youngNode(rpc) })
    site.grow(1)
    await bitcoind.kill()
    rmSync(bitcoind.cookieFile, { force: true })
    await expect(anchorer.advance()).rejects.toMatchObject({ code: 'rpc_unreachable' })
    await bitcoind.restart()
    await anchorer.advance()
    await bitcoind.mine(1)
    await anchorer.advance()
    await expectWhole(site, anchorer)
    rpc.close()
  })
})
