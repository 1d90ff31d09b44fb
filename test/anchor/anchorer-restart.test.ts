import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RegtestNode, startBitcoind } from '../../regtest/start-bitcoind.ts'
import { anchorNext, hex, mempool, onlyAnchor, openSite, type Site } from './anchor-site.ts'

let bitcoind: RegtestNode

beforeAll(async () => {
  bitcoind = await startBitcoind()
})

afterAll(() => bitcoind?.stop())

describe('a process that dies', () => {
  it('goes on from a planned anchor with the same plan', async () => {
    using site = await openSite(bitcoind)
    site.grow(1)
    const dying = site.open({ payloadFile: `${site.payloadFile}/no such folder` })
    await expect(dying.advance()).rejects.toThrow(/ENOTDIR|ENOENT/)
    const planned = onlyAnchor(dying)
    expect(planned).toMatchObject({ state: 'planned', txid: null })
    const anchorer = site.open()
    await anchorer.advance()
    expect(onlyAnchor(anchorer)).toMatchObject({ state: 'broadcast', feeSats: planned.feeSats })
    expect(hex(onlyAnchor(anchorer).payload)).toBe(hex(planned.payload))
    await bitcoind.mine(1)
  })

  it('sends the signed bytes that it kept', async () => {
    using site = await openSite(bitcoind)
    site.grow(1)
    const cut: Site['node'] = { ...site.node, send: () => Promise.reject(new Error('killed before sending')) }
    const dying = site.open({ node: cut })
    await expect(dying.advance()).rejects.toThrow('killed')
    const signed = onlyAnchor(dying)
    expect(signed.state).toBe('signed')
    const anchorer = site.open()
    await anchorer.advance()
    expect(onlyAnchor(anchorer).state).toBe('broadcast')
    expect(signed.raw).not.toBeNull()
    expect(hex(onlyAnchor(anchorer).raw)).toBe(hex(signed.raw))
    await bitcoind.mine(1)
  })

  it.each([
    ['sent', 0, 'broadcast'],
    ['sent and mined', 2, 'mined'],
  ])('takes an anchor that was %s without its knowledge', async (_title, blocks, state) => {
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
    expect(onlyAnchor(dying).state).toBe('signed')
    await bitcoind.mine(blocks)
    const anchorer = site.open()
    await anchorer.advance()
    expect(onlyAnchor(anchorer)).toMatchObject({ state, txid: onlyAnchor(dying).txid })
    await bitcoind.mine(1)
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
    const signed = onlyAnchor(anchorer)
    const answered = site.open()
    await answered.advance()
    expect(await mempool(bitcoind)).toEqual([signed.txid])
    await bitcoind.mine(1)
    await answered.advance()
    expect(onlyAnchor(answered)).toMatchObject({ state: 'mined', txid: signed.txid })
  })

  it('stays final when it is opened again', async () => {
    using site = await openSite(bitcoind)
    await anchorNext(bitcoind, site, site.open())
    await bitcoind.mine(5)
    await site.open().advance()
    const anchorer = site.open()
    expect(onlyAnchor(anchorer).state).toBe('final')
    await anchorer.advance()
    expect(onlyAnchor(anchorer).state).toBe('final')
  })
})
