import { afterAll, beforeAll, expect, it } from 'vitest'
import { type RegtestNode, startBitcoind } from '../../regtest/start-bitcoind.ts'
import { anchorNext, openSite } from './anchor-site.ts'
import { expectWhole } from './expect-whole.ts'

let bitcoind: RegtestNode

beforeAll(async () => {
  bitcoind = await startBitcoind()
})

afterAll(() => bitcoind?.stop())

it('an idle log gets an anchor when the last one is as old as the policy says, and not a block sooner', async () => {
  using site = await openSite(bitcoind, { policy: { heartbeatBlocks: 4 } })
  const anchorer = site.open()
  await anchorNext(bitcoind, site, anchorer)
  await bitcoind.mine(3)
  await anchorer.advance()
  expect(anchorer.anchors()).toHaveLength(1)
  await bitcoind.mine(1)
  await anchorer.advance()
  expect(anchorer.state().inFlight).toMatchObject({ index: 1, size: 1, state: 'broadcast' })
  await bitcoind.mine(1)
  await anchorer.advance()
  expect(anchorer.anchors()).toHaveLength(2)
  await expectWhole(site, anchorer)
})

it('a log without a single entry has no heart to beat, nor has one whose policy names no age', async () => {
  using empty = await openSite(bitcoind, { policy: { heartbeatBlocks: 1 } })
  using quiet = await openSite(bitcoind)
  await anchorNext(bitcoind, quiet, quiet.open())
  await bitcoind.mine(10)
  for (const [site, count] of [
    [empty, 0],
    [quiet, 1],
  ] as const) {
    const anchorer = site.open()
    await anchorer.advance()
    expect(anchorer.anchors()).toHaveLength(count)
  }
})
